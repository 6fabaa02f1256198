"""What a network looks like, without TensorFlow: the one description that the Keras builder, the
exporter, the integer reference and the firmware's layer table are all made from.
"""

from __future__ import annotations

from dataclasses import dataclass

from rbnn.spec.layout import Operator

Shape = tuple[int, int, int]
"""Height, width, channels."""


@dataclass(frozen=True)
class Layer:
    """One layer of the firmware's layer table.

    Args:
        op: what it computes; the threshold (batch norm and sign) is part of a stem or a
            convolution, scale and bias are part of the dense layer.
        in_shape: height, width, channels of its input.
        out_shape: the same of its output; (1, 1, classes) for the dense layer.
        kernel: window size in pixels, 0 for the dense layer.
        stride: in pixels.
        pad: pixels added on each side: value 0 after the input offset for a stem, +1 for a
            convolution.
    """

    op: Operator
    in_shape: Shape
    out_shape: Shape
    kernel: int = 0
    stride: int = 1
    pad: int = 0

    @property
    def kernel_shape(self) -> tuple[int, ...]:
        """Shape of the Keras kernel, (height, width, in, out) or (in, out); () without bits."""
        height, width, channels = self.in_shape
        match self.op:
            case Operator.STEM | Operator.CONV:
                return (self.kernel, self.kernel, channels, self.out_shape[2])
            case Operator.DENSE:
                return (height * width * channels, self.out_shape[2])
            case _:
                return ()

    @property
    def bits(self) -> int:
        """Binary weights of this layer."""
        total = 1 if self.kernel_shape else 0
        for size in self.kernel_shape:
            total *= size
        return total

    @property
    def macs(self) -> int:
        """Nominal multiply-accumulates of one inference, padding included."""
        positions = self.out_shape[0] * self.out_shape[1] if self.kernel else 1
        return self.bits * positions

    @property
    def has_thresholds(self) -> bool:
        """Whether it ends in batch norm and sign."""
        return self.op in (Operator.STEM, Operator.CONV)


@dataclass(frozen=True)
class Topology:
    """A network: its layers in running order, each reading the output of the one before it."""

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
