"""What a Keras model is read into: layers of the device, before it is known who reads them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal, NoReturn

import numpy as np
import numpy.typing as npt

from rbnn.errors import RbnnError
from rbnn.nets.topology import Shape

Floats = npt.NDArray[np.float64]


class ModelImportError(RbnnError):
    """A Keras model that does not fit the device's operators."""


def refuse(layer: object, what: str, fix: str) -> NoReturn:
    """Refuse a layer of the model.

    Raises:
        ModelImportError: always; names the layer.
    """
    name = getattr(layer, "name", layer)
    raise ModelImportError(f"Layer {name} ({type(layer).__name__}) {what}", fix)


@dataclass(frozen=True)
class Affine:
    """``factor * value + shift``, by filter."""

    factor: Floats
    shift: Floats

    def then(self, other: Affine) -> Affine:
        """``other`` of this."""
        return Affine(other.factor * self.factor, other.factor * self.shift + other.shift)

    def times(self, number: float) -> Affine:
        """``number`` times this."""
        return Affine(number * self.factor, number * self.shift)


@dataclass(eq=False)
class Node:
    """One layer of the device.

    Args:
        op: of the device: stem, conv, max_pool, average_pool or dense.
        layer: of the model, for errors.
        source: what it reads; None for the image.
        shape: height, width, channels of what it gives.
        kernel: side of its window.
        stride: in both directions.
        pad: on each side.
        weights: in the order of Keras; -1 and +1 where they are binary.
        is_binary: whether they are.
        of_sum: what the model makes of the sum of the products with ``weights``.
        pool: side of the max pool of a stem's sums.
        shortcut: whose stream is added.
        pooled_last: whether that pool comes after the batch norm.
        pixels: what the model takes for a pixel, of a stem.
        wants_bits: whether a later layer reads its bits.
        wants_stream: whether one reads its stream.
        tensors: of the model, whose values are its stream.
    """

    op: Literal["stem", "conv", "max_pool", "average_pool", "dense"]
    layer: object
    source: Node | None
    shape: Shape
    kernel: int = 0
    stride: int = 1
    pad: int = 0
    weights: Floats | None = None
    is_binary: bool = True
    of_sum: Affine | None = None
    pool: int = 1
    shortcut: Node | None = None
    pooled_last: bool = False
    pixels: Affine | None = None
    wants_bits: bool = False
    wants_stream: bool = False
    tensors: list[object] = field(default_factory=list)


@dataclass(frozen=True)
class Value:
    """A tensor of the model.

    Args:
        stage: what is known of it. ``image``: an affine function of the pixels. ``sums``: of the
            products of ``base``, whose batch norm may follow. ``real``: what ``node`` gives.
            ``signs``: -1 and +1. ``signed``: only the signs of it are of use, as after a max pool.
        shape: height, width, channels.
        node: that gives it; None for the image.
        base: the node whose sums they are, where a pool came after it.
        pixels: the affine function of a pixel, by channel of the image.
        zeros: rows and columns of zeros that were added on each side.
        repeats: how often its channels are repeated.
        is_flat: whether rows, columns and channels are one axis.
    """

    stage: Literal["image", "sums", "real", "signs", "signed"]
    shape: Shape
    node: Node | None = None
    base: Node | None = None
    pixels: Affine | None = None
    zeros: int = 0
    repeats: int = 1
    is_flat: bool = False

    def become(self, **members: object) -> Value:
        """A copy with other members."""
        return replace(self, **members)  # type: ignore[arg-type]


@dataclass
class Notes:
    """What is not exact, in sentences."""

    lines: list[str] = field(default_factory=list)

    def add(self, line: str) -> None:
        """Add a sentence."""
        self.lines.append(line)
