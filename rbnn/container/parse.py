"""Read a container and check everything in it.

At least as strict as the firmware: what this accepts, ``rbnn_model_open`` accepts.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

from rbnn.container.container import (
    SEALED_OVERHEAD,
    Container,
    SealedTask,
    container_crc32,
    layer_record,
)
from rbnn.container.errors import ContainerError, ExportError
from rbnn.container.params import labels_offset_of
from rbnn.container.plan import ContainerPlan, align, plan
from rbnn.container.shapes import bits_bytes, logits_bytes, stream_bytes
from rbnn.nets.topology import Layer, Topology
from rbnn.spec import operators
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
    Activation,
    Cipher,
    Output,
    Scheme,
    Sign,
    Stage,
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
    least = max(labels_offset_of(topology, layout, task.classes) for task in tasks)
    _require(header["params_bytes"] >= least, "params_bytes")
    weights_offset = header["weights_offset"]
    return Container(
        data=data,
        model_id=header["model_id"],
        provider_public=header["provider_public"],
        cipher=Cipher(header["cipher"]),
        trunk_layers=header["trunk_layers"],
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
    _require(0 < len(name) < NAME_BYTES and b"\0" not in name, f"the {what} name is invalid")
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
    _require(header["cipher"] in tuple(Cipher), f"unknown cipher {header['cipher']}")
    _require(header["scheme"] == Scheme.XOR, f"unknown scheme {header['scheme']}")
    _require(header["trunk_layers"] < max(header["layer_count"], 1), "trunk_layers")
    _require(0 < header["task_count"] <= MAX_TASKS, "task_count")
    _require(0 < header["max_classes"] <= MAX_CLASSES, "max_classes")
    _require(0 < header["input_channels"] <= MAX_INPUT_CHANNELS, "input_channels")
    return header


def _parse_layers(data: bytes, header: dict[str, Any]) -> Topology:
    _require(header["layers_offset"] == CONTAINER_HEADER.size, "layers_offset")
    layers: list[Layer] = []
    written: list[_Written] = []
    for number in range(header["layer_count"]):
        try:
            record: dict[str, Any] = LAYER.unpack(
                data, header["layers_offset"] + number * LAYER.size
            )
            layer = Layer(
                op=operators.of_number(record["op"]),
                in_shape=(record["in_height"], record["in_width"], record["in_channels"]),
                out_shape=(record["out_height"], record["out_width"], record["out_channels"]),
                source=-1,
                kernel=record["kernel"],
                stride=record["stride"],
                pad=record["pad"],
                pool=record["pool"],
                stage=Stage(record["stage"]),
                activation=Activation(record["activation"]),
                sign=Sign(record["sign"]),
                output=_output(record["output"]),
            )
        except ValueError as error:
            raise ContainerError(f"Layer {number} is malformed: {error}.") from error
        source, shortcut = -1, None
        if number:
            source = _writer(written, record["in_offset"], layer.reads_stream, layer.in_shape)
            _require(source >= 0, f"layer {number} reads what no layer wrote there")
        if channels := record["shortcut_channels"]:
            shape = (*layer.out_shape[:2], channels)
            shortcut = _writer(written, record["shortcut_offset"], True, shape)
            _require(shortcut >= 0, f"layer {number} adds what no layer wrote there")
        layer = dataclasses.replace(layer, source=source, shortcut=shortcut)
        layers.append(layer)
        written.append(_Written(layer, record["out_offset"], record["stream_offset"]))
    return Topology(
        architecture=_parse_name(header["architecture"], "architecture"),
        input_shape=(header["input_height"], header["input_width"], header["input_channels"]),
        max_classes=header["max_classes"],
        layers=tuple(layers),
    )


def _output(value: int) -> Output:
    if value > Output.BITS | Output.STREAM:
        raise ValueError(f"{value} is not a valid Output")
    return Output(value)


@dataclass(frozen=True)
class _Written:
    """What a layer writes to the arena."""

    layer: Layer
    out_offset: int
    stream_offset: int

    def region(self, stream: bool) -> tuple[int, int]:
        """Start and end (exclusive) of its stream, or of its bits and logits."""
        if stream:
            return self.stream_offset, self.stream_offset + stream_bytes(self.layer)
        own = bits_bytes(self.layer) + logits_bytes(self.layer)
        return self.out_offset, self.out_offset + own


def _writer(written: list[_Written], offset: int, stream: bool, shape: tuple[int, ...]) -> int:
    """The layer whose stream or bits of ``shape`` lie at ``offset``; -1 if none does."""
    size = math.prod(shape) * 2 if stream else math.prod(shape) // 8
    for number in range(len(written) - 1, -1, -1):
        regions = (written[number].region(False), written[number].region(True))
        if any(start < offset + size and offset < end for start, end in regions if end > start):
            fits = regions[stream] == (offset, offset + size)
            return number if fits and written[number].layer.out_shape == shape else -1
    return -1


def _check_placements(
    data: bytes, header: dict[str, Any], topology: Topology, layout: ContainerPlan
) -> None:
    """Check that every offset is the planner's: a network has exactly one layout."""
    for number in range(len(topology.layers)):
        start = header["layers_offset"] + number * LAYER.size
        _require(
            data[start : start + LAYER.size] == layer_record(topology, layout, number),
            f"offsets of layer {number}",
        )
    for name in ("arena_bytes", "work_bytes", "weights_bytes"):
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
        _require(
            start % ALIGNMENT == 0
            and start >= end
            and start + length <= len(data)
            and length >= SEALED_OVERHEAD + PARAMS_HEADER.size,
            f"sealed block of task {name}",
        )
        end = start + length
        largest = max(largest, length - SEALED_OVERHEAD)
        tasks.append(
            SealedTask(
                name,
                record["classes"],
                data[start:end],
                record["front_end"],
                record["benchmark"],
            )
        )
    _require(len({task.name for task in tasks}) == len(tasks), "two tasks have the same name")
    _require(header["params_bytes"] == largest, "params_bytes")
    return tuple(tasks)
