"""What the residual architectures have in common: a stream, its stem, its shortcuts and its end.

Every convolution adds its normalised sums to an int16 stream; the bits that the next one reads are
the stream's signs. Where the picture shrinks, the stream is averaged over 2x2 windows; where
channels double, it is repeated.

Source: Liu et al., "Bi-Real Net", ECCV 2018 (a shortcut around every binary convolution).
"""

from __future__ import annotations

from dataclasses import replace

from rbnn.errors import RbnnError
from rbnn.nets.shape_rules import check_square_side
from rbnn.nets.topology import Layer, Shape, Topology
from rbnn.spec import operators
from rbnn.spec.layout import Activation, Output, Sign, Stage

STEM_KERNEL = 3
SIDES = (8, 16, 32, 64)
"""Halved by the stem and between stages, all end as windows of a power of two pixels a side."""
FEWEST_STAGES = 2
MOST_STAGES = 4


def check_stages(architecture: str, input_shape: Shape, stages: int) -> None:
    """Refuse a number of stages out of range, or an input that cannot be halved that often.

    Raises:
        RbnnError: names the nearest that works.
    """
    if not FEWEST_STAGES <= stages <= MOST_STAGES:
        raise RbnnError(
            f"{architecture} has {FEWEST_STAGES} to {MOST_STAGES} stages. Received: {stages}.",
            f"The nearest is --stages {min(max(stages, FEWEST_STAGES), MOST_STAGES)}.",
        )
    # The last stage has 2x2 pixels or more: its average is a pool.
    check_square_side(architecture, input_shape, tuple(s for s in SIDES if s >= 2 << stages))


def stage_depths(depth: int, stages: int) -> tuple[int, ...]:
    """How many of ``depth`` convolutions or blocks each stage has; a remainder goes to the last."""
    each, rest = divmod(depth, stages)
    return tuple(each + (stage >= stages - rest) for stage in range(stages))


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
        """Start the stream with a 3x3 convolution of the image and a 2x2 max pool."""
        height, width, _ = self._input_shape
        self._bits = self._append(
            Layer(
                operators.STEM,
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
        """A binary convolution with its shortcut; ``filters``: the stream's channels or more."""
        height, width, channels = self._shape
        shortcut = self._bits
        if stride > 1:
            shortcut = self._average(stride)
        self._shape = (height // stride, width // stride, channels)
        self._bits = self._append(
            Layer(
                operators.CONV,
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
                operators.DENSE_STREAM,
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
                operators.AVERAGE_POOL,
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
