"""A task's own part in clear: thresholds, scales, input adapter and class names, as bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rbnn.export.errors import ExportError, SealedBlockError
from rbnn.export.plan import Plan, params_bytes
from rbnn.nets.topology import Topology
from rbnn.spec.layout import MAX_INPUT_CHANNELS, PARAMS_HEADER, Adapter, Operator

Thresholds = npt.NDArray[np.int16]
Fixed = npt.NDArray[np.int32]


@dataclass(frozen=True)
class TaskParams:
    """Everything of a task but its secret.

    Args:
        labels: class names in class order.
        adapter: how the task's input becomes the network's.
        input_channels: channels of the task's own input.
        offsets: 0..255, subtracted from each channel of the network's input.
        thresholds: by layer number, (out_channels,) each; bit = (sum >= threshold).
        scales: (max_classes,), Q12.20; zero from the class count on.
        biases: as ``scales``.
    """

    labels: tuple[str, ...]
    adapter: Adapter
    input_channels: int
    offsets: tuple[int, ...]
    thresholds: Mapping[int, Thresholds]
    scales: Fixed
    biases: Fixed


def encode(params: TaskParams, topology: Topology, plan: Plan) -> bytes:
    """The plaintext of a sealed block.

    Raises:
        ExportError: a class name or an offset cannot be stored.
    """
    channels = topology.input_shape[2]
    if len(params.offsets) != channels or not all(0 <= value <= 255 for value in params.offsets):
        raise ExportError(
            f"A task has {channels} input offsets of 0 to 255. Received: {params.offsets}."
        )
    if any(not label or "\0" in label for label in params.labels):
        raise ExportError(f"A class name is empty or has a zero byte: {params.labels!r}.")
    labels = b"".join(label.encode() + b"\0" for label in params.labels)
    data = bytearray(plan.labels_offset)
    data[: PARAMS_HEADER.size] = PARAMS_HEADER.pack(
        {
            "classes": len(params.labels),
            "adapter": int(params.adapter),
            "input_channels": params.input_channels,
            "offsets": (*params.offsets, *[0] * (MAX_INPUT_CHANNELS - channels)),
            "labels_offset": plan.labels_offset,
            "labels_bytes": len(labels),
        }
    )
    for number, layer in enumerate(topology.layers):
        if layer.op is Operator.MAX_POOL:
            continue
        if layer.op is Operator.DENSE:
            raw = params.scales.astype("<i4").tobytes() + params.biases.astype("<i4").tobytes()
        else:
            raw = params.thresholds[number].astype("<i2").tobytes()
        offset = plan.placements[number].params_offset
        if len(raw) != params_bytes(layer):
            raise ValueError(f"Layer {number} has {params_bytes(layer)} bytes. Got: {len(raw)}")
        data[offset : offset + len(raw)] = raw
    return bytes(data) + labels


def decode(data: bytes, topology: Topology, plan: Plan) -> TaskParams:
    """Read what :func:`encode` wrote.

    Raises:
        SealedBlockError: sizes or members do not fit the network.
    """
    try:
        header = PARAMS_HEADER.unpack(data)
        adapter = Adapter(int(header["adapter"]))  # type: ignore[arg-type]
    except ValueError as error:
        raise SealedBlockError(f"The opened parameters are malformed: {error}.") from error
    classes, start, length = (header[name] for name in ("classes", "labels_offset", "labels_bytes"))
    offsets = header["offsets"]
    assert isinstance(classes, int) and isinstance(start, int) and isinstance(length, int)
    assert isinstance(offsets, tuple)
    raw_labels = data[start : start + length]
    if (
        start != plan.labels_offset
        or start + length != len(data)
        or raw_labels.count(b"\0") != classes
        or not raw_labels.endswith(b"\0")
    ):
        raise SealedBlockError("The opened parameters do not fit the network of this container.")
    thresholds: dict[int, Thresholds] = {}
    scales = biases = np.zeros(topology.max_classes, np.int32)
    for number, layer in enumerate(topology.layers):
        offset = plan.placements[number].params_offset
        filters = layer.out_shape[2]
        if layer.op is Operator.DENSE:
            scales = np.frombuffer(data, "<i4", filters, offset).astype(np.int32)
            biases = np.frombuffer(data, "<i4", filters, offset + 4 * filters).astype(np.int32)
        elif layer.op is not Operator.MAX_POOL:
            thresholds[number] = np.frombuffer(data, "<i2", filters, offset).astype(np.int16)
    try:
        labels = tuple(label.decode() for label in raw_labels[:-1].split(b"\0"))
    except UnicodeDecodeError as error:
        raise SealedBlockError("A class name in the opened parameters is not UTF-8.") from error
    return TaskParams(
        labels=labels,
        adapter=adapter,
        input_channels=int(header["input_channels"]),  # type: ignore[arg-type]
        offsets=tuple(offsets[: topology.input_shape[2]]),
        thresholds=thresholds,
        scales=scales,
        biases=biases,
    )
