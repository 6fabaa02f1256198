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
from rbnn.container.params import Group, Logits, Residual, Thresholds, encode_group
from rbnn.container.shapes import weights_bytes
from rbnn.engine import arithmetic
from rbnn.nets.topology import Layer
from rbnn.operators.workings import WORKINGS
from rbnn.spec import operators, packing
from rbnn.spec.layout import LAYER, STREAM_FRACTION_BITS, Activation, Output, Sign, Stage
from rbnn.spec.operator import LARGEST_OWN_WEIGHT
from rbnn.spec.operators import Reads
from rbnn.spec.own_weights import stem_shift

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
        kernel: bool, Keras' order, True for +1; None for a layer without stored bits.
        params: its group, as in a sealed block's plaintext.
        given: its input: pixels (u8) or packed bits.
        crc32: of the output as laid out in memory.
    """

    name: str
    layer: Layer
    kernel: Bits | None
    params: bytes
    given: bytes
    crc32: int

    @property
    def packed(self) -> bytes:
        """The kernel in the layer's packing."""
        if self.kernel is None:
            return b""
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
    """A layer with weights and random values.

    Args:
        rng: source of all values.
        name: of the case.
        layer: its shape, without a shortcut and not over a stream; channels are multiples of 32,
            except for a stem's input.
    """
    kernel = rng.integers(0, 2, layer.kernel_shape).astype(np.bool_) if layer.bits else None
    given, inputs = _draw_input(rng, layer)
    group = _draw_group(rng, layer)
    weights = kernel if group is None or group.weights is None else group.weights
    made = WORKINGS[layer.op].compute(layer, inputs[None], weights)[0]
    params = b"" if group is None else encode_group(group, layer)
    written = binascii.crc32(_written(layer, made, group))
    return LayerCase(name, layer, kernel, params, given, written)


def _draw_group(rng: np.random.Generator, layer: Layer) -> Group | None:
    """Values that spread the layer's results; None for a layer that needs none."""
    filters = layer.out_shape[2]
    if not layer.op.has_weights:
        return None
    most, weights = LARGEST_OWN_WEIGHT, None
    if layer.op.own_weights:
        weights = rng.integers(-most, most + 1, layer.kernel_shape).astype(np.int8)
    if layer.op.is_last:
        scales, biases = rng.integers(-1000, 1000, (2, filters)).astype(np.int32)
        return Logits(scales, biases, weights)
    spread = math.sqrt(layer.filter_weights) / layer.op.unit
    spread *= PIXEL_SPREAD if layer.op.reads is Reads.IMAGE else 1
    if layer.op.own_weights:
        spread *= most / 2 / (1 << stem_shift(layer.filter_weights))
    if layer.stage is Stage.THRESHOLD:
        return Thresholds(rng.normal(0, spread / 2, filters).astype(np.int16), weights)

    def values(spread: float, mean: float = 0.0) -> npt.NDArray[np.int16]:
        return rng.normal(mean, spread, filters).astype(np.int16)

    bends = layer.activation is Activation.RPRELU
    one = 1 << STREAM_FRACTION_BITS
    return Residual(
        shift=STREAM_FRACTION_BITS,
        scales=np.full(filters, one * one / spread, np.int16),
        biases=values(one / 2),
        points=values(one / 4) if bends else None,
        slopes=values(1000, 4000) if bends else None,
        offsets=values(one / 4) if bends else None,
        thresholds=values(one / 4) if layer.sign is Sign.THRESHOLDS else None,
        weights=weights,
    )


def _written(layer: Layer, made: npt.NDArray[Any], group: Group | None) -> bytes:
    """What the device writes: bits, then the stream, then logits."""
    match group:
        case Logits():
            return arithmetic.logits(made, group, layer.op).astype("<i4").tobytes()
        case Thresholds():
            return packing.pack_rows(made >= group.thresholds)
        case Residual():
            stream, bits = arithmetic.residual(made, None, group)
            packed = packing.pack_rows(bits) if Output.BITS in layer.output else b""
            return packed + (stream.astype("<i2").tobytes() * (Output.STREAM in layer.output))
        case None:
            return packing.pack_rows(made)


def _draw_input(rng: np.random.Generator, layer: Layer) -> tuple[bytes, npt.NDArray[Any]]:
    """An image or bits, as the device has them, and as the layer's numbers."""
    if layer.op.reads is Reads.IMAGE:
        pixels = rng.integers(0, 256, layer.in_shape, dtype=np.uint8)
        offsets = np.array(OFFSETS[: layer.in_shape[2]], np.float32)
        return pixels.tobytes(), pixels.astype(np.float32) - offsets
    bits = rng.integers(0, 2, layer.in_shape).astype(np.bool_)
    return packing.pack_rows(bits.reshape(-1, layer.in_shape[2])), bits
