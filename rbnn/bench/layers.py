"""The standard layers of the benchmark, with random values and the expected results.

Other engines for Cortex-M are measured with the same layers; see ``rbnn.cost.peers``.
"""

from __future__ import annotations

import binascii
import math
from dataclasses import dataclass

import numpy as np

from rbnn.container.container import layer_members
from rbnn.container.shapes import weights_bytes
from rbnn.engine.arithmetic import convolve, dense_bits, signs
from rbnn.nets.topology import Layer
from rbnn.spec import packing
from rbnn.spec.layout import LAYER, Operator, Output, Stage

OFFSETS = (120, 128, 130, 0)
"""What the stem subtracts from its channels."""
PIXEL_SPREAD = 80
"""About the standard deviation of a uniform 8-bit pixel."""

Bits = packing.Bits

STANDARD = {
    "conv_a": Layer(
        Operator.CONV, (16, 16, 64), (16, 16, 64), -1, 3, pad=1, stage=Stage.THRESHOLD,
        output=Output.BITS,
    ),
    "conv_b": Layer(
        Operator.CONV, (8, 8, 128), (8, 8, 128), -1, 3, pad=1, stage=Stage.THRESHOLD,
        output=Output.BITS,
    ),
    "dense": Layer(Operator.DENSE, (1, 1, 1024), (1, 1, 256), -1),
    "stem": Layer(
        Operator.STEM, (32, 32, 3), (32, 32, 64), -1, 3, pad=1, stage=Stage.THRESHOLD,
        output=Output.BITS,
    ),
}  # fmt: skip
"""By name, in the order in which they are measured."""


@dataclass(frozen=True)
class LayerCase:
    """One layer to run on its own.

    Args:
        name: of the layer.
        layer: its shape.
        kernel: bool, Keras' order, True for +1.
        params: its group, as in a sealed block's plaintext.
        given: its input: pixels (u8) or packed bits.
        crc32: of the output as laid out in memory.
    """

    name: str
    layer: Layer
    kernel: Bits
    params: bytes
    given: bytes
    crc32: int

    @property
    def packed(self) -> bytes:
        """The kernel in the layer's packing."""
        return packing.pack_kernel(self.kernel, self.layer.packing)

    def record(self, weights_offset: int) -> bytes:
        """Its record of a layer table."""
        return LAYER.pack(
            {
                **{field.name: 0 for field in LAYER.fields},
                **layer_members(self.layer),
                "weights_offset": weights_offset,
                "weights_bytes": weights_bytes(self.layer),
            }
        )


def standard_cases(seed: int = 1) -> list[LayerCase]:
    """The standard layers with random weights, inputs and parameters."""
    rng = np.random.default_rng(seed)
    return [make_case(rng, name, layer) for name, layer in STANDARD.items()]


def make_case(rng: np.random.Generator, name: str, layer: Layer) -> LayerCase:
    """A stem, convolution (stage THRESHOLD) or dense layer with random values.

    Args:
        rng: source of all values.
        name: of the case.
        layer: its shape; channels are multiples of 32, except for a stem's input.
    """
    kernel = rng.integers(0, 2, layer.kernel_shape).astype(np.bool_)
    filters = layer.out_shape[2]
    if layer.op is Operator.DENSE:
        bits = rng.integers(0, 2, math.prod(layer.in_shape)).astype(np.bool_)
        scales, biases = rng.integers(-1000, 1000, (2, filters)).astype("<i4")
        logits = dense_bits(bits[None], kernel)[0] * scales + biases
        output, given = logits.astype("<i4").tobytes(), packing.pack_rows(bits)
        return LayerCase(
            name, layer, kernel, scales.tobytes() + biases.tobytes(), given, binascii.crc32(output)
        )
    if layer.op is Operator.STEM:
        pixels = rng.integers(0, 256, layer.in_shape, dtype=np.uint8)
        given = pixels.tobytes()
        inputs = pixels.astype(np.float32) - np.array(OFFSETS[: layer.in_shape[2]], np.float32)
        sums = convolve(inputs[None], kernel, layer, 0)[0]
        height, width, pool = *layer.out_shape[:2], layer.pool
        sums = sums[: height * pool, : width * pool]
        sums = sums.reshape(height, pool, width, pool, filters).max(axis=(1, 3))
        spread = PIXEL_SPREAD * math.sqrt(layer.bits // filters)
    else:
        bits = rng.integers(0, 2, layer.in_shape).astype(np.bool_)
        given = packing.pack_rows(bits)
        sums = convolve(signs(bits[None]), kernel, layer, 1)[0] // 2
        spread = math.sqrt(layer.bits // filters) / 2
    thresholds = rng.normal(0, spread / 2, filters).astype("<i2")
    output = packing.pack_rows(sums >= thresholds)
    return LayerCase(name, layer, kernel, thresholds.tobytes(), given, binascii.crc32(output))
