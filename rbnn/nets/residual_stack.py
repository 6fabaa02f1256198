"""What the residual architectures have in common: a stream, its stem, its shortcuts and its end.

Every convolution adds its normalised sums to an int16 stream; the bits that the next one reads are
the stream's signs. Where the picture shrinks, the stream is averaged over 2x2 windows or, of a
picture with an odd side, every second pixel is taken; where channels double, it is repeated. At the
end the stream is averaged over the largest windows of a power of two pixels a side that divide both
sides, and the dense layer reads what is left: one pixel of a square of 8, 16, 32 or 64.

Source: Liu et al., "Bi-Real Net", ECCV 2018 (a shortcut around every binary convolution).
"""

from __future__ import annotations

from dataclasses import replace

from rbnn.errors import RbnnError
from rbnn.nets.shape_rules import check_sides
from rbnn.nets.topology import Layer, Shape, Topology
from rbnn.spec import operators
from rbnn.spec.layout import MAX_AVERAGE_WINDOW, Activation, Output, Sign, Stage

STEM_KERNEL = 3
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
    # The last stage has 2x2 pixels or more.
    check_sides(architecture, input_shape, 2 + (1 << stages))


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
            whole = height % stride == width % stride == 0
            shortcut = self._average(stride if whole else 1, stride)
        self._bits = self._append(
            Layer(
                operators.CONV,
                (height, width, channels),
                (-(-height // stride), -(-width // stride), filters),
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
        """Average the picture and classify it; nothing reads the last stream's bits."""
        last = self._layers[-1]
        self._layers[-1] = replace(last, sign=Sign.ZERO, output=Output.STREAM)
        height, width, channels = self._shape
        window = MAX_AVERAGE_WINDOW
        while height % window or width % window:
            window //= 2
        pooled = self._average(window, window) if window > 1 else self._bits
        shape = (height // window, width // window, channels)
        self._append(Layer(operators.DENSE_STREAM, shape, (1, 1, max_classes), pooled))
        return Topology(architecture, self._input_shape, max_classes, tuple(self._layers))

    def _average(self, window: int, stride: int) -> int:
        """A window is the stride or one pixel, so that it makes as many as a strided convolution
        does."""
        height, width, channels = self._shape
        self._layers.append(
            Layer(
                operators.AVERAGE_POOL,
                self._shape,
                (-(-height // stride), -(-width // stride), channels),
                self._bits,
                kernel=window,
                stride=stride,
                output=Output.STREAM,
            )
        )
        return len(self._layers) - 1

    def _append(self, layer: Layer) -> int:
        self._layers.append(layer)
        self._shape = layer.out_shape
        return len(self._layers) - 1
