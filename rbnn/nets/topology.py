"""What a network looks like, without TensorFlow: the one description for the Keras builder, the
exporter, the integer reference and the firmware's layer table.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from rbnn.errors import RbnnError
from rbnn.spec.layout import Activation, Output, Packing, Sign, Stage
from rbnn.spec.operators import WITH_OWN_WEIGHTS, Operator

Shape = tuple[int, int, int]
"""Height, width, channels."""


@dataclass(frozen=True)
class Layer:
    """One layer of the firmware's layer table.

    Args:
        op: what it computes; batch norm, activation and sign are part of a stem or a convolution
            (its stage), scale and bias are part of a dense layer.
        in_shape: height, width, channels of its input.
        out_shape: the same of its output, after the fused pool; (1, 1, classes) for a dense layer.
        source: number of the layer whose output it reads: bits, or the stream if ``op`` reads a
            stream; -1 is the image.
        kernel: window size in pixels, 0 for a dense layer.
        stride: in pixels.
        pad: pixels added on each side: value 0 after the input offset for a stem, +1 for a
            convolution.
        pool: side of the max pool after a stem's sums, before its batch norm; 1 for none.
        stage: what is done with the sums.
        shortcut: number of the layer whose stream is added, or None. If that stream has fewer
            channels, it is repeated.
        activation: applied to the stream of a residual stage.
        sign: how a residual stage's bits are taken.
        output: what it writes.
    """

    op: Operator
    in_shape: Shape
    out_shape: Shape
    source: int
    kernel: int = 0
    stride: int = 1
    pad: int = 0
    pool: int = 1
    stage: Stage = Stage.NONE
    shortcut: int | None = None
    activation: Activation = Activation.NONE
    sign: Sign = Sign.ZERO
    output: Output = Output.NONE

    @property
    def kernel_shape(self) -> tuple[int, ...]:
        """Shape of the Keras kernel, (height, width, in, out) or (in, out); () without weights."""
        height, width, channels = self.in_shape
        if not self.op.has_weights:
            return ()
        if self.op.largest_window:
            return (self.kernel, self.kernel, channels, self.out_shape[2])
        return (height * width * channels, self.out_shape[2])

    @property
    def packing(self) -> Packing:
        """How its bits lie in the container."""
        return self.op.packing

    @property
    def reads_stream(self) -> bool:
        """Whether its input is the source's stream, not bits or the image."""
        return self.op.reads_stream

    @property
    def weights(self) -> int:
        """Weights of this layer, binary or of 8 bits."""
        return math.prod(self.kernel_shape) if self.kernel_shape else 0

    @property
    def bits(self) -> int:
        """Binary weights of this layer, made from stored bits."""
        return self.weights if self.op.has_bits else 0

    @property
    def filter_weights(self) -> int:
        """Weights of one filter, without padding; 0 for a layer without weights."""
        return self.weights // self.out_shape[2]

    @property
    def filter_bits(self) -> int:
        """Bits of one filter, without padding; 0 for a layer without bits."""
        return self.bits // self.out_shape[2]

    @property
    def macs(self) -> int:
        """Nominal multiply-accumulates of one inference, padding included."""
        positions = self.out_shape[0] * self.out_shape[1] * self.pool**2 if self.kernel else 1
        return self.weights * positions


@dataclass(frozen=True)
class Topology:
    """A network: its layers in running order; the first is a stem, the last a dense layer."""

    architecture: str
    input_shape: Shape
    max_classes: int
    layers: tuple[Layer, ...]

    @property
    def bits(self) -> int:
        """Shared binary weights."""
        return sum(layer.bits for layer in self.layers)

    @property
    def macs(self) -> int:
        """Nominal multiply-accumulates of one inference."""
        return sum(layer.macs for layer in self.layers)

    def with_own_weights(self, stem: bool, classifier: bool) -> Topology:
        """The network with 8-bit weights of each task's own in its first, in its last layer.

        Raises:
            RbnnError: no layer with binary weights would be left.
        """
        first, *body, last = self.layers
        if stem:
            first = replace(first, op=WITH_OWN_WEIGHTS[first.op])
        if classifier:
            last = replace(last, op=WITH_OWN_WEIGHTS[last.op])
        made = replace(self, layers=(first, *body, last))
        if not made.bits:
            raise RbnnError(
                f"No layer of {self.architecture} has binary weights; tasks would share nothing.",
                "Add a conv, or leave out --stem-bits or --classifier-bits.",
            )
        return made

    def trunk_layers(self, count: int) -> int:
        """How many records of the layer table, from the first, a trunk takes.

        Args:
            count: layers of the trunk that have bits, the stem included; 0 for no trunk.

        Raises:
            RbnnError: the trunk would leave no layer to the tasks.
        """
        with_bits = [number for number, layer in enumerate(self.layers) if layer.bits]
        if not 0 <= count < len(with_bits):
            raise RbnnError(
                f"A trunk of this network has 0 to {len(with_bits) - 1} layers. Received: {count}.",
                f"Of its {len(with_bits)} layers with bits the last must be the tasks' own; choose "
                "a smaller --trunk.",
            )
        return with_bits[count - 1] + 1 if count else 0
