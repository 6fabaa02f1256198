"""Where everything of a network lies: bits in P, activations in the arena, values in the params."""

from __future__ import annotations

import math
from dataclasses import dataclass

from rbnn.export.errors import ExportError
from rbnn.nets.topology import Layer, Topology
from rbnn.spec.layout import (
    ALIGNMENT,
    MAX_KERNEL,
    MAX_LAYERS,
    MAX_WINDOW_WORDS,
    PARAMS_HEADER,
    Operator,
)
from rbnn.spec.link import INPUT_BUFFER_BYTES
from rbnn.spec.packing import FILTERS_PER_TILE, WORD_BITS, WORD_BYTES, words_per_row


def align(offset: int, multiple: int = ALIGNMENT) -> int:
    """``offset`` rounded up to a multiple of ``multiple``."""
    return -(-offset // multiple) * multiple


def row_bits(layer: Layer) -> int:
    """Bits of one filter, without padding; 0 for a layer without bits."""
    return layer.bits // layer.out_shape[2] if layer.bits else 0


def row_bytes(layer: Layer) -> int:
    """Bytes of one packed filter."""
    return words_per_row(row_bits(layer)) * WORD_BYTES


def weights_bytes(layer: Layer) -> int:
    """Bytes of a layer's packed bits."""
    return row_bytes(layer) * layer.out_shape[2] if layer.bits else 0


def output_bytes(layer: Layer) -> int:
    """Bytes of a layer's output in the arena: packed bits, or int32 logits."""
    height, width, channels = layer.out_shape
    if layer.op is Operator.DENSE:
        return channels * 4
    return height * width * words_per_row(channels) * WORD_BYTES


def params_bytes(layer: Layer) -> int:
    """Bytes of a layer's thresholds (i16), or of its scales and biases (i32)."""
    match layer.op:
        case Operator.STEM | Operator.CONV:
            return layer.out_shape[2] * 2
        case Operator.DENSE:
            return layer.out_shape[2] * 8
        case _:
            return 0


@dataclass(frozen=True)
class Placement:
    """Where one layer's things lie; members as in the container's layer record."""

    in_offset: int
    out_offset: int
    weights_offset: int
    weights_bytes: int
    params_offset: int


@dataclass(frozen=True)
class Plan:
    """Where everything lies.

    Args:
        placements: one per layer.
        arena_bytes: activation memory.
        tile_bytes: largest tile of reconfigured bits.
        weights_bytes: P with its alignment padding.
        labels_offset: where the class names begin in the params.
    """

    placements: tuple[Placement, ...]
    arena_bytes: int
    tile_bytes: int
    weights_bytes: int
    labels_offset: int


def _check(topology: Topology) -> None:
    if not 2 <= len(topology.layers) <= MAX_LAYERS:
        raise ExportError(
            f"A container holds 2 to {MAX_LAYERS} layers. Received: {len(topology.layers)}."
        )
    input_bytes = math.prod(topology.input_shape)
    if input_bytes > INPUT_BUFFER_BYTES:
        raise ExportError(
            f"One input has {input_bytes} bytes; the firmware's buffer holds {INPUT_BUFFER_BYTES}.",
            "Train on smaller images.",
        )
    for number, layer in enumerate(topology.layers):
        if layer.kernel > MAX_KERNEL:
            raise ExportError(
                f"Layer {number} ({layer.op.name.lower()}) has a {layer.kernel}x{layer.kernel} "
                f"window; the firmware's kernels go up to {MAX_KERNEL}."
            )
        if layer.op is Operator.CONV and row_bits(layer) > MAX_WINDOW_WORDS * WORD_BITS:
            raise ExportError(
                f"Layer {number} (conv) has filters of {row_bits(layer)} bits; the firmware's "
                f"kernel takes {MAX_WINDOW_WORDS * WORD_BITS}.",
                "Train with a smaller --width.",
            )


def plan(topology: Topology) -> Plan:
    """Lay out a network.

    Each layer reads the output of the one before it, so outputs lie in turn at the arena's start
    and at its end: the arena is as large as the largest input and output that live together.

    Raises:
        ExportError: the firmware's kernels do not serve a layer.
    """
    _check(topology)
    sizes = [output_bytes(layer) for layer in topology.layers]
    arena = max(before + after for before, after in zip([0, *sizes], sizes, strict=False))
    placements: list[Placement] = []
    in_offset = weights = 0
    params = PARAMS_HEADER.size
    for number, layer in enumerate(topology.layers):
        out_offset = arena - sizes[number] if number % 2 else 0
        own = weights_bytes(layer)
        placements.append(
            Placement(
                in_offset=in_offset,
                out_offset=out_offset,
                weights_offset=weights if own else 0,
                weights_bytes=own,
                params_offset=params if own else 0,
            )
        )
        in_offset = out_offset
        weights = align(weights + own)
        params = align(params + params_bytes(layer), 4)
    tile = max(
        row_bytes(layer) * min(FILTERS_PER_TILE, layer.out_shape[2]) for layer in topology.layers
    )
    return Plan(tuple(placements), arena, tile, weights, params)
