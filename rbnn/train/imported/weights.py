"""Kernels of Keras and Larq layers: binary or float, and what a layer's options mean."""

from __future__ import annotations

from typing import Any

import numpy as np

from rbnn.train.imported.nodes import Floats, refuse

SIGNS = {"ste_sign", "approx_sign", "swish_sign"}
SCALED = "magnitude_aware_sign"
KERNELS = "ste_sign, approx_sign, swish_sign or magnitude_aware_sign"


def quantizer(layer: Any, of: str) -> str | None:
    """Name of a layer's ``input_quantizer`` or ``kernel_quantizer``; None without one."""
    found = getattr(layer, of, None)
    if found is None:
        return None
    name = getattr(found, "__name__", type(found).__name__)
    snake = "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")
    return snake


def takes_signs(layer: Any) -> bool:
    """Whether a layer reads the signs of its input.

    Raises:
        ModelImportError: it quantizes it in another way.
    """
    found = quantizer(layer, "input_quantizer")
    if found is not None and found not in SIGNS:
        refuse(
            layer,
            f"quantizes its input with {found}; devices have bits of -1 and +1.",
            f"What fits: input_quantizer {', '.join(sorted(SIGNS))}.",
        )
    return found is not None


def kernel(layer: Any) -> tuple[Floats, Floats | None]:
    """A layer's kernel in Keras' order, and what each filter is worth; None if it is float.

    A binary kernel is -1 and +1.

    Raises:
        ModelImportError: it is quantized in a way that no operator has.
    """
    latent = np.asarray(layer.get_weights()[0], np.float64)
    check_finite(layer, weights=latent)
    found = quantizer(layer, "kernel_quantizer")
    if found is None:
        return latent, None
    if found not in {*SIGNS, SCALED}:
        refuse(layer, f"quantizes its kernel with {found}.", f"What fits: {KERNELS}.")
    scale = np.ones(latent.shape[-1])
    if found == SCALED:
        scale = np.abs(latent).mean(axis=tuple(range(latent.ndim - 1)))
    return np.where(latent >= 0, 1.0, -1.0), scale


def bias(layer: Any, filters: int) -> Floats:
    """A layer's bias, zeros without one."""
    if not getattr(layer, "use_bias", False):
        return np.zeros(filters)
    found = np.asarray(layer.get_weights()[1], np.float64)
    check_finite(layer, bias=found)
    return found


def check_finite(layer: Any, **values: Any) -> None:
    """Refuse what a layer cannot compute with.

    Args:
        layer: of the model.
        values: numbers of the layer's, by name.

    Raises:
        ModelImportError: one is infinite or no number.
    """
    for name, found in values.items():
        if not np.isfinite(np.asarray(found, np.float64)).all():
            wrong = "weights that are" if name == "weights" else f"a {name} that is"
            refuse(layer, f"has {wrong} not finite.", "Train the model again.")


def not_negative(layer: Any, variance: Floats) -> Floats:
    """A layer's variance.

    Raises:
        ModelImportError: it is infinite, no number, or negative.
    """
    check_finite(layer, variance=variance)
    if (variance < 0).any():
        refuse(layer, "has a negative variance.", "Train the model again.")
    return variance


def deviation(layer: Any, variance: Floats) -> Floats:
    """The standard deviation by which a batch norm divides.

    Raises:
        ModelImportError: it is none, or zero.
    """
    check_finite(layer, epsilon=layer.epsilon)
    found: Floats = not_negative(layer, variance) + layer.epsilon
    if (found <= 0).any():
        refuse(layer, "divides by a variance of zero.", "Give it an epsilon, such as 0.001.")
    return np.sqrt(found)


def window(layer: Any) -> tuple[int, int]:
    """Side and stride of a convolution or a pool.

    Raises:
        ModelImportError: they are not square, or the layer has what no operator has.
    """
    sides = tuple(getattr(layer, "kernel_size", None) or layer.pool_size)
    strides = tuple(layer.strides or sides)
    plain = {"dilation_rate": (1, 1), "groups": 1, "data_format": "channels_last"}
    for name, wanted in plain.items():
        value = getattr(layer, name, wanted)
        value = tuple(value) if isinstance(value, list | tuple) else value
        if value != wanted:
            refuse(layer, f"has {name} {value}.", f"What fits: {name} {wanted}.")
    for name, pair in (("window", sides), ("strides", strides)):
        if pair[0] != pair[1]:
            refuse(layer, f"has {name} of {pair[0]}x{pair[1]}.", f"What fits: square {name}.")
    return int(sides[0]), int(strides[0])


def padding(layer: Any, shape: tuple[int, int, int], side: int, stride: int) -> int:
    """Pixels that ``padding="same"`` adds on each side.

    Raises:
        ModelImportError: not as many on each side.
    """
    if layer.padding == "valid":
        return 0
    totals = [max((-(-size // stride) - 1) * stride + side - size, 0) for size in shape[:2]]
    if totals[0] != totals[1] or totals[0] % 2:
        pads = " and ".join(f"{total // 2}+{total - total // 2}" for total in dict.fromkeys(totals))
        refuse(
            layer,
            f"pads unevenly: window {side}, stride {stride} and {shape[0]}x{shape[1]} pixels give "
            f"{pads}; devices pad the same on all sides.",
            'What fits: ZeroPadding2D in front of it and padding="valid", or a stride of 1 with an '
            "odd window.",
        )
    return totals[0] // 2
