"""Put a container together, or change what its tasks are called by the MLPerf Tiny runner."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rbnn.container.container import (
    CRC_OFFSET,
    SEALED_OVERHEAD,
    Container,
    SealedTask,
    container_crc32,
    layer_record,
)
from rbnn.container.errors import ExportError
from rbnn.container.parse import parse
from rbnn.container.plan import align, plan
from rbnn.nets.device_rules import describe
from rbnn.nets.topology import Topology
from rbnn.spec.layout import (
    CONTAINER_HEADER,
    CONTAINER_MAGIC,
    CONTAINER_VERSION,
    LAYER,
    MAX_CLASSES,
    MAX_TASKS,
    NAME_BYTES,
    TASK,
    Cipher,
    Scheme,
)
from rbnn.spec.link import Benchmark


def _encode_name(name: str, what: str) -> bytes:
    raw = name.encode()
    if not 0 < len(raw) < NAME_BYTES or b"\0" in raw:
        raise ExportError(
            f"The {what} name {name!r} must have 1 to {NAME_BYTES - 1} bytes of UTF-8, none zero.",
            f"Rename it: --tasks shorter={name}" if what == "task" else "",
        )
    return raw.ljust(NAME_BYTES, b"\0")


def _check_tasks(tasks: Sequence[SealedTask], max_classes: int) -> None:
    if not 0 < len(tasks) <= MAX_TASKS:
        raise ExportError(f"A container holds 1 to {MAX_TASKS} tasks. Received: {len(tasks)}.")
    if not 0 < max_classes <= MAX_CLASSES:
        raise ExportError(f"A task has 1 to {MAX_CLASSES} classes. Received: {max_classes}.")
    if len({task.name for task in tasks}) != len(tasks):
        raise ExportError(f"Two tasks have the same name: {', '.join(t.name for t in tasks)}.")


def build(
    topology: Topology,
    model_id: bytes,
    provider_public: bytes,
    weights: Mapping[int, bytes],
    tasks: Sequence[SealedTask],
    cipher: Cipher = Cipher.CHACHA20,
    trunk_layers: int = 0,
) -> Container:
    """Put a container together.

    Args:
        topology: the network, its channels padded.
        model_id: 16 bytes.
        provider_public: X25519 public key of the licence provider, 32 bytes.
        weights: packed bits of P by layer number, for every layer that has bits.
        tasks: in task order.
        cipher: of the key streams.
        trunk_layers: how many of the first layers have one key for all tasks.

    Raises:
        ExportError: a name, a count or a layer does not fit the format.
    """
    layout = plan(topology)
    _check_tasks(tasks, topology.max_classes)
    bits = bytearray(layout.weights_bytes)
    for number, place in enumerate(layout.placements):
        own = weights.get(number, b"")
        if len(own) != place.weights_bytes:
            where = describe(topology.layers[number], number)
            raise ExportError(
                f"{where} needs {place.weights_bytes} bytes of bits. Received: {len(own)}."
            )
        bits[place.weights_offset : place.weights_offset + len(own)] = own

    layers_offset = CONTAINER_HEADER.size
    tasks_offset = layers_offset + LAYER.size * len(topology.layers)
    weights_offset = align(tasks_offset + TASK.size * len(tasks))
    sealed_offset = align(weights_offset + len(bits))
    task_records, blocks = bytearray(), bytearray()
    for task in tasks:
        blocks.extend(bytes(align(len(blocks)) - len(blocks)))
        task_records += TASK.pack(
            {
                "name": _encode_name(task.name, "task"),
                "classes": task.classes,
                "front_end": task.front_end,
                "benchmark": task.benchmark,
                "sealed_offset": sealed_offset + len(blocks),
                "sealed_bytes": len(task.sealed),
            }
        )
        blocks += task.sealed
    data = bytearray(sealed_offset + len(blocks))
    height, width, channels = topology.input_shape
    data[:layers_offset] = CONTAINER_HEADER.pack(
        {
            "magic": CONTAINER_MAGIC,
            "version": CONTAINER_VERSION,
            "header_bytes": CONTAINER_HEADER.size,
            "total_bytes": len(data),
            "crc32": 0,
            "model_id": model_id,
            "provider_public": provider_public,
            "architecture": _encode_name(topology.architecture, "architecture"),
            "input_height": height,
            "input_width": width,
            "input_channels": channels,
            "layer_count": len(topology.layers),
            "task_count": len(tasks),
            "max_classes": topology.max_classes,
            "cipher": int(cipher),
            "scheme": int(Scheme.XOR),
            "trunk_layers": trunk_layers,
            "arena_bytes": layout.arena_bytes,
            "work_bytes": layout.work_bytes,
            "params_bytes": max(len(task.sealed) for task in tasks) - SEALED_OVERHEAD,
            "layers_offset": layers_offset,
            "tasks_offset": tasks_offset,
            "weights_offset": weights_offset,
            "weights_bytes": len(bits),
        }
    )
    records = b"".join(
        layer_record(topology, layout, number) for number in range(len(topology.layers))
    )
    data[layers_offset:tasks_offset] = records
    data[tasks_offset : tasks_offset + len(task_records)] = task_records
    data[weights_offset : weights_offset + len(bits)] = bits
    data[sealed_offset:] = blocks
    return _finished(data)


def with_benchmarks(container: Container, benchmarks: Mapping[str, Benchmark]) -> Container:
    """The same model, with other names for the MLPerf Tiny runner; its digest is another one.

    Args:
        container: the model.
        benchmarks: which benchmark a task stands for, by the task's name; other tasks stay as
            they are.

    Raises:
        ExportError: the model has no such task.
    """
    data = bytearray(container.data)
    tasks_offset = CONTAINER_HEADER.size + LAYER.size * len(container.topology.layers)
    for name, benchmark in benchmarks.items():
        record = tasks_offset + container.task_number(name) * TASK.size
        data[record + TASK.offset("benchmark")] = benchmark
    return _finished(data)


def _finished(data: bytearray) -> Container:
    """The container that ``data`` are, but for their CRC-32."""
    data[CRC_OFFSET : CRC_OFFSET + 4] = container_crc32(bytes(data)).to_bytes(4, "little")
    return parse(bytes(data))
