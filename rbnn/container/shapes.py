"""Sizes that follow from one layer."""

from __future__ import annotations

import math

from rbnn.nets.topology import Layer
from rbnn.spec import own_weights, packing
from rbnn.spec.layout import Activation, Output, Sign, Stage


def weights_bytes(layer: Layer) -> int:
    """Bytes of a layer's packed bits."""
    if not layer.op.has_bits:
        return 0
    return packing.packed_bytes(layer.kernel_shape, layer.packing)


def bits_bytes(layer: Layer) -> int:
    """Bytes of a layer's bits in the arena; 0 if it writes none."""
    return math.prod(layer.out_shape) // 8 if Output.BITS in layer.output else 0


def stream_bytes(layer: Layer) -> int:
    """Bytes of a layer's stream in the arena; 0 if it writes none."""
    return math.prod(layer.out_shape) * 2 if Output.STREAM in layer.output else 0


def logits_bytes(layer: Layer) -> int:
    """Bytes of a layer's logits in the arena; 0 if it writes none."""
    return layer.out_shape[2] * 4 if layer.op.is_last else 0


def output_bytes(layer: Layer) -> int:
    """Bytes of all that a layer writes: bits, stream, logits."""
    return bits_bytes(layer) + stream_bytes(layer) + logits_bytes(layer)


def own_weights_shape(layer: Layer, classes: int | None = None) -> tuple[int, ...]:
    """Shape of the 8-bit weights among a layer's parameters, filters last.

    Args:
        layer: with such weights.
        classes: of the task; None for the largest task of the model.
    """
    shape = layer.kernel_shape
    return (*shape[:-1], classes) if layer.op.is_last and classes is not None else shape


def own_weights_bytes(layer: Layer, classes: int | None = None) -> int:
    """Bytes of the 8-bit weights among a layer's parameters; 0 if it has none."""
    if not layer.op.own_weights:
        return 0
    return own_weights.packed_bytes(own_weights_shape(layer, classes))


def params_bytes(layer: Layer, classes: int | None = None) -> int:
    """Bytes of a layer's group of parameters; see ``rbnn.spec.layout.PARAMS_HEADER``.

    Args:
        layer: any.
        classes: of the task; None for the largest task of the model.
    """
    return _values_bytes(layer) + own_weights_bytes(layer, classes)


def _values_bytes(layer: Layer) -> int:
    """The same without weights."""
    group = 2 * layer.out_shape[2]
    if layer.op.is_last:
        return 4 * group
    match layer.stage:
        case Stage.THRESHOLD:
            return group
        case Stage.RESIDUAL:
            rprelu = 3 * group if layer.activation is Activation.RPRELU else 0
            signs = group if layer.sign is Sign.THRESHOLDS else 0
            return 4 + 2 * group + rprelu + signs
        case Stage.NONE:
            return 0
