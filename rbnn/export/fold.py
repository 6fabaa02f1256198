"""Fold batch norm into integers: thresholds in front of a sign, Q12.20 scales for the logits."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rbnn.export.errors import ExportError
from rbnn.export.params import Fixed, Thresholds
from rbnn.export.plan import row_bits
from rbnn.nets.topology import Layer
from rbnn.spec.layout import LOGIT_FRACTION_BITS, Operator
from rbnn.train.parameters import Array, Normalisation

INT16_MAX = 2**15 - 1
INT32_MAX = 2**31 - 1


def _float64(norm: Normalisation, channels: int, where: str) -> tuple[npt.NDArray[np.float64], ...]:
    """gamma, beta, mean and sqrt(variance + epsilon), checked."""
    values = []
    for name in ("gamma", "beta", "mean", "variance"):
        array: Array = getattr(norm, name)
        if array.ndim != 1 or len(array) < channels:
            raise ExportError(
                f"{where}: batch norm's {name} needs {channels} values. Received: {array.shape}."
            )
        values.append(array[:channels].astype(np.float64))
    gamma, beta, mean, variance = values
    if not all(np.isfinite(array).all() for array in values) or (variance < 0).any():
        raise ExportError(
            f"{where}: batch norm has values that are not finite or a negative variance.",
            "Training diverged: train again with a smaller --learning-rate.",
        )
    return gamma, beta, mean, np.sqrt(variance + float(norm.epsilon))


def fold_thresholds(norm: Normalisation, layer: Layer, where: str) -> Thresholds:
    """Thresholds with ``(sum >= threshold) == (batch norm of sum >= 0)`` for every integer sum.

    Args:
        norm: batch norm at inference, one entry per filter.
        layer: the stem or convolution in front of it.
        where: names task and layer in errors.

    Returns:
        int16, (filters,).

    Raises:
        ExportError: gamma is not positive somewhere, values are not finite, or the layer's sums do
            not fit 16 bits.

    Source: Courbariaux et al., "Binarized Neural Networks", 2016, section 1.6 (batch norm and sign
    as a comparison).
    """
    gamma, beta, mean, deviation = _float64(norm, layer.out_shape[2], where)
    if (gamma <= 0).any():
        worst = int(np.argmin(gamma))
        raise ExportError(
            f"{where}: gamma of filter {worst} is {gamma[worst]:g}; in front of a sign it must be "
            "positive, or a larger sum would give a smaller bit.",
            "Build the network with rbnn.nets, whose batch norm there has no gamma.",
        )
    largest = row_bits(layer) * (255 if layer.op is Operator.STEM else 1)
    if largest >= INT16_MAX:
        raise ExportError(
            f"{where}: sums up to {largest} do not fit 16-bit thresholds.",
            "Use a smaller window or fewer input channels.",
        )
    exact = np.ceil(mean - beta * deviation / gamma)
    return np.clip(exact, -largest, largest + 1).astype(np.int16)


def fold_scales(norm: Normalisation, layer: Layer, classes: int, where: str) -> tuple[Fixed, Fixed]:
    """Scales and biases of the logits, Q12.20.

    Args:
        norm: batch norm behind the dense layer, with at least ``classes`` entries.
        layer: the dense layer.
        classes: the task's classes; entries from there on are zero.
        where: names task and layer in errors.

    Returns:
        Scales and biases, int32, (layer's outputs,) each.

    Raises:
        ExportError: values are not finite, or a logit could overflow 32 bits.
    """
    gamma, beta, mean, deviation = _float64(norm, classes, where)
    one = float(1 << LOGIT_FRACTION_BITS)
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = gamma / deviation
        scales, biases = np.rint(factor * one), np.rint((beta - mean * factor) * one)
        largest = np.abs(scales) * row_bits(layer) + np.abs(biases)
    if not (largest <= INT32_MAX).all():
        worst = int(np.argmax(~(largest <= INT32_MAX)))
        raise ExportError(
            f"{where}: the logit of class {worst} could reach {largest[worst] / one:.0f}; "
            f"32 bits hold {INT32_MAX / one:.0f}.",
            "Train longer: the variance of that output is nearly zero.",
        )
    count = layer.out_shape[2]
    result = np.zeros((2, count), np.int32)
    result[0, :classes], result[1, :classes] = scales, biases
    return result[0], result[1]
