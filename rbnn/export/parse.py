"""Read a container and check everything in it.

At least as strict as the firmware: what this accepts, ``rbnn_model_open`` accepts.
"""

from __future__ import annotations

from typing import Any

from rbnn.export.container import (
    SEALED_OVERHEAD,
    Container,
    SealedTask,
    container_crc32,
    layer_record,
)
from rbnn.export.errors import ContainerError, ExportError
from rbnn.export.plan import Plan, align, plan
from rbnn.nets.topology import Layer, Topology
from rbnn.spec.layout import (
    ALIGNMENT,
    CONTAINER_HEADER,
    CONTAINER_MAGIC,
    CONTAINER_VERSION,
    LAYER,
    MAX_CLASSES,
    MAX_INPUT_CHANNELS,
    MAX_TASKS,
    NAME_BYTES,
    PARAMS_HEADER,
    TASK,
    Cipher,
    Operator,
    Scheme,
)


def parse(data: bytes) -> Container:
    """Read a container and check everything in it.

    Raises:
        ContainerError: names what is wrong.
    """
    header = _parse_header(data)
    topology = _parse_layers(data, header)
    try:
        layout = plan(topology)
    except ExportError as error:
        raise ContainerError(error.what) from error
    _check_placements(data, header, topology, layout)
    tasks = _parse_tasks(data, header)
    weights_offset = header["weights_offset"]
    return Container(
        data=data,
        model_id=header["model_id"],
        provider_public=header["provider_public"],
        topology=topology,
        plan=layout,
        weights=data[weights_offset : weights_offset + header["weights_bytes"]],
        tasks=tasks,
    )


def _require(condition: bool, what: str) -> None:
    if not condition:
        raise ContainerError(
            f"The model container is malformed: {what}.", "Export again: rbnn export RUN"
        )


def _parse_name(raw: bytes, what: str) -> str:
    name = raw.rstrip(b"\0")
    _require(0 < len(name) < NAME_BYTES and b"\0" not in name, f"the {what} name is not a name")
    try:
        return name.decode()
    except UnicodeDecodeError:
        raise ContainerError(f"The {what} name is not UTF-8: {name!r}.") from None


def _parse_header(data: bytes) -> dict[str, Any]:
    again = "Export again: rbnn export RUN"
    if data[:4] != CONTAINER_MAGIC:
        raise ContainerError(f"Not a model container: it begins with {data[:4].hex()!r}.", again)
    try:
        header: dict[str, Any] = CONTAINER_HEADER.unpack(data)
    except ValueError as error:
        raise ContainerError(f"The model container is cut short: {error}.", again) from error
    if header["version"] != CONTAINER_VERSION:
        raise ContainerError(
            f"The model container has format version {header['version']}; this program reads "
            f"version {CONTAINER_VERSION}.",
            again,
        )
    if header["total_bytes"] != len(data):
        raise ContainerError(
            f"The model container has {len(data)} bytes; its header says {header['total_bytes']}.",
            again,
        )
    if header["crc32"] != container_crc32(data):
        raise ContainerError("The model container is damaged: its CRC-32 does not match.", again)
    _require(header["header_bytes"] == CONTAINER_HEADER.size, "header_bytes")
    _require(header["cipher"] == Cipher.CHACHA20, f"unknown cipher {header['cipher']}")
    _require(header["scheme"] == Scheme.XOR, f"unknown scheme {header['scheme']}")
    _require(header["reserved"] == 0, "a reserved member is not zero")
    _require(0 < header["task_count"] <= MAX_TASKS, "task_count")
    _require(0 < header["max_classes"] <= MAX_CLASSES, "max_classes")
    _require(0 < header["input_channels"] <= MAX_INPUT_CHANNELS, "input_channels")
    return header


def _parse_layers(data: bytes, header: dict[str, Any]) -> Topology:
    _require(header["layers_offset"] == CONTAINER_HEADER.size, "layers_offset")
    layers: list[Layer] = []
    input_shape = tuple(header[f"input_{side}"] for side in ("height", "width", "channels"))
    shape = input_shape
    count = header["layer_count"]
    for number in range(count):
        try:
            record: dict[str, Any] = LAYER.unpack(
                data, header["layers_offset"] + number * LAYER.size
            )
            layer = Layer(
                op=Operator(record["op"]),
                in_shape=(record["in_height"], record["in_width"], record["in_channels"]),
                out_shape=(record["out_height"], record["out_width"], record["out_channels"]),
                kernel=record["kernel"],
                stride=record["stride"],
                pad=record["pad"],
            )
        except ValueError as error:
            raise ContainerError(f"Layer {number} is malformed: {error}.") from error
        _require(
            (layer.op is Operator.STEM) == (number == 0)
            and (layer.op is Operator.DENSE) == (number == count - 1),
            f"layer {number} is a {layer.op.name.lower()} at the wrong place",
        )
        _require(layer.in_shape == shape, f"layer {number} does not fit the one before it")
        _require(min(*layer.in_shape, *layer.out_shape) > 0, f"layer {number} is empty")
        _require(_shape_follows(layer, header["max_classes"]), f"shape of layer {number}")
        layers.append(layer)
        shape = layer.out_shape
    return Topology(
        architecture=_parse_name(header["architecture"], "architecture"),
        input_shape=(input_shape[0], input_shape[1], input_shape[2]),
        max_classes=header["max_classes"],
        layers=tuple(layers),
    )


def _shape_follows(layer: Layer, max_classes: int) -> bool:
    if layer.op is Operator.DENSE:
        return layer.out_shape == (1, 1, max_classes) and (
            (layer.kernel, layer.stride, layer.pad) == (0, 1, 0)
        )
    if layer.kernel == 0 or layer.stride == 0 or layer.pad >= layer.kernel:
        return False
    sides = [
        (side + 2 * layer.pad - layer.kernel) // layer.stride + 1 for side in layer.in_shape[:2]
    ]
    if layer.op is Operator.MAX_POOL:
        return layer.pad == 0 and layer.out_shape == (*sides, layer.in_shape[2])
    return layer.out_shape[2] % 32 == 0 and tuple(sides) == layer.out_shape[:2]


def _check_placements(
    data: bytes, header: dict[str, Any], topology: Topology, layout: Plan
) -> None:
    """Every offset is the one that the planner gives: there is one layout for a network."""
    for number, layer in enumerate(topology.layers):
        start = header["layers_offset"] + number * LAYER.size
        _require(
            data[start : start + LAYER.size] == layer_record(layer, layout, number),
            f"offsets of layer {number}",
        )
    for name in ("arena_bytes", "tile_bytes", "weights_bytes"):
        _require(header[name] == getattr(layout, name), name)
    tasks_offset = CONTAINER_HEADER.size + LAYER.size * len(topology.layers)
    weights_offset = align(tasks_offset + TASK.size * header["task_count"])
    _require(header["tasks_offset"] == tasks_offset, "tasks_offset")
    _require(header["weights_offset"] == weights_offset, "weights_offset")
    _require(weights_offset + layout.weights_bytes <= len(data), "weights_bytes")


def _parse_tasks(data: bytes, header: dict[str, Any]) -> tuple[SealedTask, ...]:
    tasks: list[SealedTask] = []
    end = header["weights_offset"] + header["weights_bytes"]
    largest = 0
    for number in range(header["task_count"]):
        record: dict[str, Any] = TASK.unpack(data, header["tasks_offset"] + number * TASK.size)
        name = _parse_name(record["name"], "task")
        start, length = record["sealed_offset"], record["sealed_bytes"]
        _require(0 < record["classes"] <= header["max_classes"], f"class count of task {name}")
        _require(record["reserved"] == 0, "a reserved member is not zero")
        _require(
            start % ALIGNMENT == 0
            and start >= end
            and start + length <= len(data)
            and length >= SEALED_OVERHEAD + PARAMS_HEADER.size,
            f"sealed block of task {name}",
        )
        end = start + length
        largest = max(largest, length - SEALED_OVERHEAD)
        tasks.append(SealedTask(name, record["classes"], data[start:end]))
    _require(len({task.name for task in tasks}) == len(tasks), "two tasks have one name")
    _require(header["params_bytes"] == largest, "params_bytes")
    return tuple(tasks)
