"""A layer in the device's units: its weights, and what the model makes of its sums."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from rbnn.nets.build_layers import BATCH_NORM_EPSILON
from rbnn.runs.parameters import Normalisation
from rbnn.spec.layout import LOGIT_FRACTION_BITS
from rbnn.spec.operator import LARGEST_OWN_WEIGHT
from rbnn.spec.own_weights import stem_shift
from rbnn.train.imported.nodes import Affine, Floats, Node, Notes, refuse

LARGEST_PIXEL = 255
NEVER = float(1 << 23)
"""A threshold that no sum reaches."""
LARGEST_LOGIT = 2000.0
"""Below what 32 bits hold: logits of bits must not wrap."""
TIE = 1e-6
"""Relative error of a threshold: a sum that is this close counts as equal, which gives bit 1."""


@dataclass(frozen=True)
class Folded:
    """A layer in the device's units.

    Args:
        weights: -1 and +1, or int8, in Keras' order.
        steps: what one unit of 8-bit weights is worth, by filter; None for binary weights.
        of_sum: what the model makes of the device's sum.
        offsets: of a stem: subtracted from each channel's pixels.
    """

    weights: Floats
    steps: npt.NDArray[np.float32] | None
    of_sum: Affine
    offsets: tuple[int, ...] = ()


def fold(node: Node, notes: Notes) -> Folded:
    """A layer with weights in the device's units.

    Raises:
        ModelImportError: it does not fit.
    """
    assert node.weights is not None and node.of_sum is not None
    if node.op == "stem":
        return _fold_stem(node, notes)
    if node.is_binary:
        return Folded(node.weights, None, node.of_sum)
    weights, steps = _round(node, node.weights, notes)
    of_sum = Affine(node.of_sum.factor * steps, node.of_sum.shift)
    return Folded(weights, steps.astype(np.float32), of_sum)


def _fold_stem(node: Node, notes: Notes) -> Folded:
    """The sum is that of the products with ``pixel - offset``; the rest goes into the shift."""
    assert node.weights is not None and node.of_sum is not None and node.pixels is not None
    factor, shift = node.pixels.factor, node.pixels.shift
    if (factor == 0).any() or not np.isfinite(factor).all():
        refuse(node.layer, "reads a picture that is scaled by zero.", "Correct the scale.")
    if node.is_binary and not np.allclose(factor, factor[0]):
        refuse(
            node.layer,
            "has binary weights, but the channels of its picture are scaled differently.",
            "What fits: one scale for all channels, or a float kernel.",
        )
    offsets = np.clip(np.rint(-shift / factor), 0, LARGEST_PIXEL)
    rest = factor * offsets + shift  # what the model takes for a pixel of that value
    apart = float(np.abs(rest / factor).max())
    if node.pad and apart > 0.5 + 1e-3:
        refuse(
            node.layer,
            f"pads the picture with zeros, which no pixel of 0 to 255 has there: {apart:.0f} away.",
            'What fits: padding="valid", or pixels whose range holds zero, such as -1 to 1.',
        )
    if node.pad and apart > 1e-3:
        notes.add(
            f"The first layer pads with zeros, {apart:.2f} of 255 away from what the device pads "
            "with: its sums differ a little at the border of the picture."
        )
    constant = (node.weights * rest[:, None]).sum(axis=(0, 1, 2))
    of_sum = Affine(node.of_sum.factor, node.of_sum.factor * constant + node.of_sum.shift)
    given = tuple(int(one) for one in offsets)
    if node.is_binary:
        scaled = replace(of_sum, factor=of_sum.factor * factor[0])
        return Folded(node.weights, None, scaled, given)
    weights, steps = _round(node, node.weights * factor[:, None], notes)
    unit = steps * (1 << stem_shift(int(np.prod(weights.shape[:-1]))))
    scaled = replace(of_sum, factor=of_sum.factor * unit)
    return Folded(weights, steps.astype(np.float32), scaled, given)


def _round(node: Node, weights: Floats, notes: Notes) -> tuple[Floats, Floats]:
    """Weights of 8 bits, and what a unit of each filter's is worth."""
    axes = tuple(range(weights.ndim - 1))
    steps = np.maximum(np.abs(weights).max(axis=axes), 1e-12) / LARGEST_OWN_WEIGHT
    rounded = np.floor(weights / steps + 0.5)
    lost = float(np.sqrt(((rounded * steps - weights) ** 2).sum() / max((weights**2).sum(), 1e-30)))
    place = "first" if node.op == "stem" else "last"
    notes.add(
        f"The float weights of the {place} layer are rounded to 8 bits: the error is "
        f"{100 * lost:.2f} % of their root mean square."
    )
    return np.clip(rounded, -LARGEST_OWN_WEIGHT, LARGEST_OWN_WEIGHT), steps


def increasing(folded: Folded) -> Folded:
    """The same function with a positive factor: filters with a negative one are negated."""
    turn = np.where(folded.of_sum.factor < 0, -1.0, 1.0)
    of_sum = Affine(folded.of_sum.factor * turn, folded.of_sum.shift)
    return replace(folded, weights=folded.weights * turn, of_sum=of_sum)


def threshold_norm(of_sum: Affine) -> Normalisation:
    """Batch norm in front of a sign; halfway between two sums, so that no rounding matters."""
    factor, shift = of_sum.factor, of_sum.shift
    with np.errstate(divide="ignore", invalid="ignore"):
        exact = -shift / factor
    least = np.ceil(exact - TIE * np.maximum(1.0, np.abs(exact)))
    least = np.where(factor > 0, least, np.where(shift >= 0, -NEVER, NEVER))
    mean = np.clip(least, -NEVER, NEVER) - 0.5
    return _norm(np.ones_like(mean), np.zeros_like(mean), mean)


def stream_norm(of_sum: Affine) -> Normalisation:
    """Batch norm of a residual stage."""
    return _norm(of_sum.factor, of_sum.shift, np.zeros_like(of_sum.shift))


def logits_norm(of_sum: Affine, inputs: int, is_limited: bool, notes: Notes) -> Normalisation:
    """Batch norm of the logits, made smaller where 32 bits would not hold them.

    Args:
        of_sum: what the model makes of the sums.
        inputs: of the layer.
        is_limited: whether the device limits the logits.
        notes: are added to.
    """
    largest = float((np.abs(of_sum.factor) * inputs + np.abs(of_sum.shift)).max())
    most = LARGEST_LOGIT * (1 << 20) / (1 << LOGIT_FRACTION_BITS)
    if not is_limited and largest > most:
        notes.add(
            f"The logits reach {largest:.0f}, which 32 bits do not hold: they are divided by "
            f"{largest / most:.2f}. Classes stay, scores are closer to one another."
        )
        of_sum = Affine(of_sum.factor * most / largest, of_sum.shift * most / largest)
    return stream_norm(of_sum)


def _norm(gamma: Floats, beta: Floats, mean: Floats) -> Normalisation:
    """A batch norm whose standard deviation is 1."""
    variance = np.full(len(mean), 1 - BATCH_NORM_EPSILON, np.float32)
    small = [np.asarray(one, np.float32) for one in (gamma, beta, mean)]
    return Normalisation(small[0], small[1], small[2], variance, BATCH_NORM_EPSILON)
