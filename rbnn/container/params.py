"""A task's own part as plaintext bytes: input adapter, each layer's values, class names."""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rbnn.container.errors import ExportError, SealedBlockError
from rbnn.container.plan import ContainerPlan
from rbnn.container.shapes import own_weights_bytes, own_weights_shape, params_bytes
from rbnn.nets.topology import Layer, Topology
from rbnn.spec import own_weights
from rbnn.spec.key_stream import NO_TRUNK
from rbnn.spec.layout import (
    MAX_INPUT_CHANNELS,
    MAX_SHIFT,
    PARAMS_HEADER,
    Activation,
    Adapter,
    Sign,
    Stage,
)
from rbnn.spec.series import MAX_SERIES_CHANNELS, SERIES, SERIES_ALIGNMENT, Series

Int8s = npt.NDArray[np.int8]
Int16s = npt.NDArray[np.int16]
Int32s = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Thresholds:
    """For a stage THRESHOLD: (out_channels,); bit = (sum >= threshold). Weights as in
    :class:`Residual`."""

    thresholds: Int16s
    weights: Int8s | None = None


@dataclass(frozen=True)
class Residual:
    """For a stage RESIDUAL; arrays of (out_channels,). See ``rbnn.spec.layout.Stage``.

    Args:
        shift: 0..16, after the scales.
        scales: the stream's units (1/256) times 2^shift for each unit of the sum.
        biases: Q8.8.
        points: of RPReLU, Q8.8; None without it, like the next two.
        slopes: Q2.14.
        offsets: Q8.8.
        thresholds: of sign THRESHOLDS, Q8.8; None without it.
        weights: the layer's 8-bit weights in Keras' order; None for a layer without such.
    """

    shift: int
    scales: Int16s
    biases: Int16s
    points: Int16s | None = None
    slopes: Int16s | None = None
    offsets: Int16s | None = None
    thresholds: Int16s | None = None
    weights: Int8s | None = None


@dataclass(frozen=True)
class Logits:
    """For a dense layer: (max_classes,) each, Q12.20; zero beyond the task's classes. Weights as in
    :class:`Residual`."""

    scales: Int32s
    biases: Int32s
    weights: Int8s | None = None


Group = Thresholds | Residual | Logits


@dataclass(frozen=True)
class TaskParams:
    """Everything that belongs to a task, except its secret.

    Args:
        labels: class names in class order.
        adapter: how the task's input becomes the network's.
        input_channels: channels of the task's own input.
        offsets: 0..255, subtracted from each channel of the network's input.
        groups: by layer number, for every layer that has weights.
        trunk_key: from :func:`rbnn.spec.key_stream.trunk_key`, 32 bytes.
        series: how windows of a sensor series become the task's input; None for another input.
    """

    labels: tuple[str, ...]
    adapter: Adapter
    input_channels: int
    offsets: tuple[int, ...]
    groups: Mapping[int, Group]
    trunk_key: bytes = NO_TRUNK
    series: Series | None = None


def _members(layer: Layer) -> tuple[str, ...]:
    """Arrays of a layer's group, in their order."""
    if layer.op.is_last:
        return ("scales", "biases")
    match layer.stage:
        case Stage.THRESHOLD:
            return ("thresholds",)
        case Stage.RESIDUAL:
            rprelu = ("points", "slopes", "offsets") * (layer.activation is Activation.RPRELU)
            return ("scales", "biases") + rprelu + ("thresholds",) * (layer.sign is Sign.THRESHOLDS)
        case Stage.NONE:
            return ()


def encode_group(group: Group, layer: Layer, classes: int | None = None) -> bytes:
    """A layer's values as they are in a sealed block's plaintext.

    Args:
        group: the values.
        layer: that they belong to.
        classes: of the task; None for the largest task of the model.
    """
    kind = "<i4" if isinstance(group, Logits) else "<i2"
    head = struct.pack("<HH", group.shift, 0) if isinstance(group, Residual) else b""
    values = (getattr(group, name).astype(kind).tobytes() for name in _members(layer))
    weights = b""
    if group.weights is not None:
        kept = own_weights_shape(layer, classes)[-1]
        weights = own_weights.pack(group.weights[..., :kept])
    return head + b"".join(values) + weights


def _decode_group(data: bytes, layer: Layer, classes: int, where: str) -> Group:
    shift, weights = 0, None
    if layer.op.own_weights:
        split = len(data) - own_weights_bytes(layer, classes)
        found = own_weights.unpack(data[split:], own_weights_shape(layer, classes))
        weights = np.zeros(layer.kernel_shape, np.int8)
        weights[..., : found.shape[-1]] = found
        data = data[:split]
    if layer.stage is Stage.RESIDUAL:
        shift, zero = struct.unpack_from("<HH", data)
        if shift > MAX_SHIFT or zero:
            raise SealedBlockError(
                f"{where}: the shift must be 0 to {MAX_SHIFT}, the member after it 0. "
                f"Received: {shift} and {zero}."
            )
        data = data[4:]
    names = _members(layer)
    values = np.frombuffer(data, "<i4" if layer.op.is_last else "<i2").reshape(len(names), -1)
    arrays = dict(zip(names, values, strict=True))
    if layer.op.is_last:
        wide = {name: array.astype(np.int32) for name, array in arrays.items()}
        return Logits(**wide, weights=weights)
    narrow = {name: array.astype(np.int16) for name, array in arrays.items()}
    if layer.stage is Stage.THRESHOLD:
        return Thresholds(**narrow, weights=weights)
    return Residual(shift, **narrow, weights=weights)


def labels_offset_of(topology: Topology, plan: ContainerPlan, classes: int) -> int:
    """Where the class names begin: after the last layer's group, as large as the task needs it."""
    last = topology.layers[-1]
    return plan.labels_offset - params_bytes(last) + params_bytes(last, classes)


def encode(params: TaskParams, topology: Topology, plan: ContainerPlan) -> bytes:
    """The plaintext of a sealed block.

    Raises:
        ExportError: a class name or an offset cannot be stored.
    """
    channels = topology.input_shape[2]
    if len(params.offsets) != channels or not all(0 <= value <= 255 for value in params.offsets):
        raise ExportError(
            f"A task needs {channels} input offsets of 0 to 255. Received: {params.offsets}."
        )
    if any(not label or "\0" in label for label in params.labels):
        raise ExportError(f"A class name is empty or has a zero byte: {params.labels!r}.")
    labels = b"".join(label.encode() + b"\0" for label in params.labels)
    classes = len(params.labels)
    labels_offset = labels_offset_of(topology, plan, classes)
    data = bytearray(labels_offset)
    data[: PARAMS_HEADER.size] = PARAMS_HEADER.pack(
        {
            "classes": classes,
            "adapter": int(params.adapter),
            "input_channels": params.input_channels,
            "offsets": (*params.offsets, *[0] * (MAX_INPUT_CHANNELS - channels)),
            "labels_offset": labels_offset,
            "labels_bytes": len(labels),
            "trunk_key": params.trunk_key,
        }
    )
    for number, layer in enumerate(topology.layers):
        if not params_bytes(layer):
            continue
        raw, size = (
            encode_group(params.groups[number], layer, classes),
            params_bytes(layer, classes),
        )
        if len(raw) != size:
            raise ValueError(f"Layer {number} has {size} bytes. Got: {len(raw)}")
        offset = plan.placements[number].params_offset
        data[offset : offset + len(raw)] = raw
    return bytes(data) + labels + _encode_series(params.series, labels_offset + len(labels))


def _encode_series(series: Series | None, offset: int) -> bytes:
    """What follows the class names, which end at ``offset``."""
    if series is None:
        return b""
    head = SERIES.pack(
        {"channels": series.channels, "window": series.window, "hop": series.hop, "zero": 0}
    )
    values = np.array([*series.means, *series.factors], "<f4")
    return bytes(-offset % SERIES_ALIGNMENT) + head + values.tobytes()


def _decode_series(data: bytes, end: int) -> Series | None:
    """What follows the class names, which end at ``end``.

    Raises:
        SealedBlockError: something else than a series.
    """
    rest = data[end:]
    if not rest:
        return None
    start = -end % SERIES_ALIGNMENT
    head: dict[str, Any] = {}
    with contextlib.suppress(ValueError):
        head = SERIES.unpack(rest, start)
    channels = head.get("channels", 0)
    values = rest[start + SERIES.size :]
    if (
        not 0 < channels <= MAX_SERIES_CHANNELS
        or len(values) != 8 * channels
        or not head["window"]
        or not head["hop"]
        or head["zero"]
        or any(rest[:start])
    ):
        raise SealedBlockError("The opened parameters do not fit the network of this container.")
    means, factors = np.frombuffer(values, "<f4").reshape(2, channels).tolist()
    return Series(head["window"], head["hop"], tuple(means), tuple(factors))


def decode(data: bytes, topology: Topology, plan: ContainerPlan) -> TaskParams:
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
    offsets, trunk_key = header["offsets"], header["trunk_key"]
    assert isinstance(trunk_key, bytes)
    assert isinstance(classes, int) and isinstance(start, int) and isinstance(length, int)
    assert isinstance(offsets, tuple)
    raw_labels = data[start : start + length]
    if (
        not 0 < classes <= topology.max_classes
        or start != labels_offset_of(topology, plan, classes)
        or start + length > len(data)
        or raw_labels.count(b"\0") != classes
        or not raw_labels.endswith(b"\0")
    ):
        raise SealedBlockError("The opened parameters do not fit the network of this container.")
    groups: dict[int, Group] = {}
    for number, layer in enumerate(topology.layers):
        if size := params_bytes(layer, classes):
            offset = plan.placements[number].params_offset
            group = data[offset : offset + size]
            groups[number] = _decode_group(group, layer, classes, f"Layer {number}")
    try:
        labels = tuple(label.decode() for label in raw_labels[:-1].split(b"\0"))
    except UnicodeDecodeError as error:
        raise SealedBlockError("A class name in the opened parameters is not UTF-8.") from error
    return TaskParams(
        labels=labels,
        adapter=adapter,
        input_channels=int(header["input_channels"]),  # type: ignore[arg-type]
        offsets=tuple(offsets[: topology.input_shape[2]]),
        groups=groups,
        trunk_key=trunk_key,
        series=_decode_series(data, start + length),
    )
