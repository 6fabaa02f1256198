"""Fold what a task trained into integers: thresholds, the residual stage's fixed point, Q12.20
scales of the logits.

A kernel's sum differs from the sum of +-1 products that batch norm saw in training: a convolution
gives half of it, and padding inputs, whose bits are always +1, add a constant to each filter. Both
are corrected here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rbnn.container.errors import ExportError
from rbnn.container.params import Group, Int16s, Logits, Residual, Thresholds
from rbnn.nets.padding import Places
from rbnn.nets.topology import Layer
from rbnn.runs.parameters import Array, Normalisation, RPReLU
from rbnn.spec.layout import (
    LOGIT_FRACTION_BITS,
    MAX_SHIFT,
    SLOPE_FRACTION_BITS,
    STREAM_FRACTION_BITS,
    Activation,
    Sign,
    Stage,
)
from rbnn.spec.operators import INT16_MAX, INT16_MIN

INT32_MAX = 2**31 - 1
STREAM_ONE = 1 << STREAM_FRACTION_BITS

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Trained:
    """What a task trained for one layer, and its place on the device.

    Args:
        where: names task and layer in errors.
        layer: with padded channels.
        outputs: places of the trained channels among the layer's.
        shares: per trained channel, what padding inputs add to the sum of +-1 products; 0 where
            there are none.
        norm: its batch norm.
        activation: if the stage has RPReLU.
        sign: thresholds if the stage has them, float32.
        weights: the layer's 8-bit weights, in its padded shape; None for a layer without such.
    """

    where: str
    layer: Layer
    outputs: Places
    shares: npt.NDArray[np.int64]
    norm: Normalisation
    activation: RPReLU | None = None
    sign: Array | None = None
    weights: npt.NDArray[np.int8] | None = None


def fold(trained: Trained, classes: int) -> Group:
    """A layer's group of parameters.

    Args:
        trained: what to fold.
        classes: the task's; parameters of a dense layer's further outputs are zero.

    Raises:
        ExportError: a value is not finite or does not fit; names task, layer and channel.
    """
    if trained.layer.op.is_last:
        return fold_logits(trained, classes)
    if trained.layer.stage is Stage.THRESHOLD:
        return fold_thresholds(trained)
    return fold_residual(trained)


def _norm(trained: Trained, channels: int) -> tuple[Floats, ...]:
    """gamma, beta, mean and sqrt(variance + epsilon), checked."""
    where, values = trained.where, []
    for name in ("gamma", "beta", "mean", "variance"):
        array: Array = getattr(trained.norm, name)
        values.append(_channels(array, channels, f"{where}: batch norm's {name}"))
    gamma, beta, mean, variance = values
    if (variance < 0).any():
        raise ExportError(
            f"{where}: batch norm's variance of channel {int(np.argmin(variance))} is negative.",
            "Training diverged: train again with a smaller --learning-rate.",
        )
    return gamma, beta, mean, np.sqrt(variance + float(trained.norm.epsilon))


def _channels(array: Array | None, channels: int, what: str) -> Floats:
    """The first ``channels`` values as float64; all must be finite."""
    if array is None or array.ndim != 1 or len(array) < channels:
        raise ExportError(
            f"{what} needs {channels} values. Received: {None if array is None else array.shape}.",
            "Configuration and parameters come from different runs: train again.",
        )
    values = array[:channels].astype(np.float64)
    if not np.isfinite(values).all():
        worst = int(np.argmin(np.isfinite(values)))
        raise ExportError(
            f"{what} of channel {worst} is not finite.",
            "Training diverged: train again with a smaller --learning-rate.",
        )
    return np.asarray(values, np.float64)


def _limited(values: Floats) -> Int16s:
    """Rounded to the nearest and limited to 16 bits, as ``StreamNorm`` of Keras limits them."""
    return np.clip(np.rint(values), INT16_MIN, INT16_MAX).astype(np.int16)


def _fixed(values: Floats, one: int) -> Int16s:
    """Fixed point as the network was trained with it: halves up, limited to 16 bits."""
    return np.asarray(np.clip(np.floor(values * one + 0.5), INT16_MIN, INT16_MAX), np.int16)


def _embedded(values: npt.NDArray[np.int16], trained: Trained, rest: int) -> Int16s:
    """Values of the trained channels among those of padding channels."""
    result = np.full(trained.layer.out_shape[2], rest, np.int16)
    result[trained.outputs] = values
    return result


def fold_thresholds(trained: Trained) -> Thresholds:
    """Thresholds with ``(kernel's sum >= threshold) == (batch norm >= 0)`` for every integer sum.

    A padding channel's bit is always 1.

    Raises:
        ExportError: gamma is not positive somewhere, or values are not finite.

    Source: Courbariaux et al., "Binarized Neural Networks", 2016, section 1.6 (batch norm and sign
    as a comparison).
    """
    where, layer = trained.where, trained.layer
    gamma, beta, mean, deviation = _norm(trained, len(trained.outputs))
    if (gamma <= 0).any():
        worst = int(np.argmin(gamma))
        raise ExportError(
            f"{where}: gamma of filter {worst} is {gamma[worst]:g}; before a sign it must be "
            "positive, or a larger sum would give a smaller bit.",
            "Build the network with rbnn.nets, whose batch norm there has no gamma.",
        )
    unit = layer.op.unit
    largest = INT16_MAX
    if not layer.op.own_weights:
        largest = layer.filter_weights * layer.op.largest_input // unit
    exact = np.ceil((np.ceil(mean - beta * deviation / gamma) + trained.shares) / unit)
    limited = np.clip(exact, -largest, min(largest + 1, INT16_MAX)).astype(np.int16)
    return Thresholds(_embedded(limited, trained, INT16_MIN), trained.weights)


def fold_residual(trained: Trained) -> Residual:
    """Fixed point of a residual stage; padding channels give stream 0 and bit 1.

    Scales and biases are limited to 16 bits, as in Keras' inference, whose accuracy training
    reports; :mod:`rbnn.export.saturation` says which.

    Raises:
        ExportError: values are missing or not finite.
    """
    where, layer = trained.where, trained.layer
    channels = len(trained.outputs)
    gamma, beta, mean, deviation = _norm(trained, channels)
    if (deviation == 0).any():
        raise ExportError(f"{where}: the variance of channel {int(np.argmin(deviation))} is zero.")
    factor = gamma / deviation
    scale = factor * STREAM_ONE * layer.op.unit
    bias = (beta - factor * (mean + trained.shares)) * STREAM_ONE
    shift = next(
        (s for s in range(MAX_SHIFT, -1, -1) if np.abs(np.rint(scale * 2**s)).max() <= INT16_MAX), 0
    )
    # Rounding down after the shift loses half a unit on average.
    half = 0.5 if shift else 0.0
    members: dict[str, Int16s] = {}
    if layer.activation is Activation.RPRELU:
        relu = trained.activation
        for name, attribute, one in (
            ("points", "point", STREAM_ONE),
            ("slopes", "slope", 1 << SLOPE_FRACTION_BITS),
            ("offsets", "offset", STREAM_ONE),
        ):
            what = f"{where}: RPReLU's {attribute}"
            values = _channels(getattr(relu, attribute, None), channels, what)
            members[name] = _embedded(_fixed(values, one), trained, 0)
    if layer.sign is Sign.THRESHOLDS:
        what = f"{where}: the sign's threshold"
        values = _channels(trained.sign, channels, what)
        members["thresholds"] = _embedded(_fixed(values, STREAM_ONE), trained, 0)
    scales, biases = _limited(scale * 2.0**shift), _limited(bias + half)
    return Residual(
        shift,
        _embedded(scales, trained, 0),
        _embedded(biases, trained, 0),
        **members,
        weights=trained.weights,
    )


def fold_logits(trained: Trained, classes: int) -> Logits:
    """Scales and biases of the logits, Q12.20.

    Raises:
        ExportError: values are not finite, or a logit could overflow 32 bits.
    """
    where, layer = trained.where, trained.layer
    gamma, beta, mean, deviation = _norm(trained, classes)
    one = float(1 << LOGIT_FRACTION_BITS)
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = gamma / deviation
        scales, biases = np.rint(factor * one), np.rint((beta - mean * factor) * one)
        biases = biases - scales * trained.shares[:classes]
        # Logits of a stream or of 8-bit weights saturate; those of bits must not wrap.
        most = 1 if layer.reads_stream or layer.op.own_weights else layer.filter_weights
        largest = np.abs(scales) * most + np.abs(biases)
    if not (largest <= INT32_MAX).all():
        worst = int(np.argmax(~(largest <= INT32_MAX)))
        raise ExportError(
            f"{where}: the logit of class {worst} could reach {largest[worst] / one:.0f}; "
            f"32 bits hold {INT32_MAX / one:.0f}.",
            "Train longer: the variance of that output is nearly zero.",
        )
    result = np.zeros((2, layer.out_shape[2]), np.int32)
    result[0, :classes], result[1, :classes] = scales, biases
    weights = trained.weights
    if weights is not None:
        weights = np.where(np.arange(layer.out_shape[2]) < classes, weights, np.int8(0))
    return Logits(result[0], result[1], weights)
