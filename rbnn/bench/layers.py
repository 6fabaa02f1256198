"""The standard layers of the benchmark, with random values and the expected results.

Other engines for Cortex-M are measured with the same layers; see ``rbnn.cost.peers``.
"""

from __future__ import annotations

import binascii
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rbnn.container.container import layer_members
from rbnn.container.shapes import weights_bytes
from rbnn.nets.topology import Layer
from rbnn.operators.workings import WORKINGS
from rbnn.spec import operators, packing
from rbnn.spec.layout import LAYER, Output, Stage
from rbnn.spec.operators import Reads

OFFSETS = (120, 128, 130, 0)
"""What the stem subtracts from its channels."""
PIXEL_SPREAD = 80
"""About the standard deviation of a uniform 8-bit pixel."""

Bits = packing.Bits

STANDARD = {
    "conv_a": Layer(
        operators.CONV, (16, 16, 64), (16, 16, 64), -1, 3, pad=1, stage=Stage.THRESHOLD,
        output=Output.BITS,
    ),
    "conv_b": Layer(
        operators.CONV, (8, 8, 128), (8, 8, 128), -1, 3, pad=1, stage=Stage.THRESHOLD,
        output=Output.BITS,
    ),
    "dense": Layer(operators.DENSE, (1, 1, 1024), (1, 1, 256), -1),
    "stem": Layer(
        operators.STEM, (32, 32, 3), (32, 32, 64), -1, 3, pad=1, stage=Stage.THRESHOLD,
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
    """A layer with weights and random values; its stage, if it has one, is THRESHOLD.

    Args:
        rng: source of all values.
        name: of the case.
        layer: its shape; channels are multiples of 32, except for a stem's input.
    """
    kernel = rng.integers(0, 2, layer.kernel_shape).astype(np.bool_)
    filters = layer.out_shape[2]
    given, inputs = _draw_input(rng, layer)
    made = WORKINGS[layer.op].compute(layer, inputs[None], kernel)[0]
    if layer.op.is_last:
        scales, biases = rng.integers(-1000, 1000, (2, filters)).astype("<i4")
        logits = made * scales + biases
        params = scales.tobytes() + biases.tobytes()
        return LayerCase(
            name, layer, kernel, params, given, binascii.crc32(logits.astype("<i4").tobytes())
        )
    spread = math.sqrt(layer.filter_bits) / layer.op.unit
    spread *= PIXEL_SPREAD if layer.op.reads is Reads.IMAGE else 1
    thresholds = rng.normal(0, spread / 2, filters).astype("<i2")
    output = packing.pack_rows(made >= thresholds)
    return LayerCase(name, layer, kernel, thresholds.tobytes(), given, binascii.crc32(output))


def _draw_input(rng: np.random.Generator, layer: Layer) -> tuple[bytes, npt.NDArray[Any]]:
    """An image or bits, as the device has them, and as the layer's numbers."""
    if layer.op.reads is Reads.IMAGE:
        pixels = rng.integers(0, 256, layer.in_shape, dtype=np.uint8)
        offsets = np.array(OFFSETS[: layer.in_shape[2]], np.float32)
        return pixels.tobytes(), pixels.astype(np.float32) - offsets
    bits = rng.integers(0, 2, layer.in_shape).astype(np.bool_)
    return packing.pack_rows(bits.reshape(-1, layer.in_shape[2])), bits
