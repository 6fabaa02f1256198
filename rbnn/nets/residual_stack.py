"""What the residual architectures have in common: a stream, its stem, its shortcuts and its end.

Every convolution adds its normalised sums to an int16 stream; the bits that the next one reads are
the stream's signs. Where the picture shrinks, the stream is averaged over 2x2 windows; where
channels double, it is repeated.

Source: Liu et al., "Bi-Real Net", ECCV 2018 (a shortcut around every binary convolution).
"""

from __future__ import annotations

from dataclasses import replace

from rbnn.nets.topology import Layer, Shape, Topology
from rbnn.spec.layout import Activation, Operator, Output, Sign, Stage

STEM_KERNEL = 3
SIDES = (8, 16, 32, 64)
"""Halved twice, they end in a window of a power of two pixels."""


class ResidualStack:
    """Layers of a residual network, appended one after the other.

    Args:
        input_shape: height, width, channels.
        activation: of every convolution's stream.
        sign: how bits are taken from a stream.
    """

    def __init__(
        self,
        input_shape: Shape,
        activation: Activation = Activation.NONE,
        sign: Sign = Sign.ZERO,
    ) -> None:
        self._input_shape = input_shape
        self._shape = input_shape
        self._activation = activation
        self._sign = sign
        self._layers: list[Layer] = []
        self._bits = -1  # layer whose bits the next convolution reads

    def stem(self, filters: int) -> None:
        """A 3x3 convolution of the image and a 2x2 max pool begin the stream."""
        height, width, _ = self._input_shape
        self._bits = self._append(
            Layer(
                Operator.STEM,
                self._input_shape,
                (height // 2, width // 2, filters),
                -1,
                kernel=STEM_KERNEL,
                pad=1,
                pool=2,
                stage=Stage.RESIDUAL,
                sign=self._sign,
                output=Output.BITS | Output.STREAM,
            )
        )

    def convolve(self, filters: int, kernel: int, stride: int = 1) -> None:
        """A binary convolution with its shortcut; ``filters`` are the stream's channels or more."""
        height, width, channels = self._shape
        shortcut = self._bits
        if stride > 1:
            shortcut = self._average(stride)
        self._shape = (height // stride, width // stride, channels)
        self._bits = self._append(
            Layer(
                Operator.CONV,
                (height, width, channels),
                (height // stride, width // stride, filters),
                self._bits,
                kernel=kernel,
                stride=stride,
                pad=kernel // 2,
                stage=Stage.RESIDUAL,
                shortcut=shortcut,
                activation=self._activation,
                sign=self._sign,
                output=Output.BITS | Output.STREAM,
            )
        )

    def end(self, architecture: str, max_classes: int) -> Topology:
        """Average the whole picture and classify it; nothing reads the last stream's bits."""
        last = self._layers[-1]
        self._layers[-1] = replace(last, sign=Sign.ZERO, output=Output.STREAM)
        pooled = self._average(self._shape[0])
        self._append(
            Layer(
                Operator.DENSE_STREAM,
                (1, 1, self._shape[2]),
                (1, 1, max_classes),
                pooled,
            )
        )
        return Topology(architecture, self._input_shape, max_classes, tuple(self._layers))

    def _average(self, window: int) -> int:
        height, width, channels = self._shape
        self._layers.append(
            Layer(
                Operator.AVERAGE_POOL,
                self._shape,
                (height // window, width // window, channels),
                self._bits,
                kernel=window,
                stride=window,
                output=Output.STREAM,
            )
        )
        return len(self._layers) - 1

    def _append(self, layer: Layer) -> int:
        self._layers.append(layer)
        self._shape = layer.out_shape
        return len(self._layers) - 1
