"""Convolution of bits; ``rbnn_conv_binary``.

With more than the least working memory it makes fewer passes over the image, down to one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy.typing as npt

from rbnn.nets.topology import Layer
from rbnn.operators.windows import Sums, convolve, signs
from rbnn.operators.workings import UNIT_WORDS, WORKINGS, Kernel, Turns, Workings, count_stage
from rbnn.spec import operators
from rbnn.spec.packing import FILTERS_PER_TILE, WORD_BITS, WORD_BYTES

TABLE_GROUP_WORDS = 3 * 256 // WORD_BYTES
"""Tables of three slots for one group of channels; ``conv_binary_tables.h``."""
TABLE_SLOTS = 3
TABLE_GROUPS = {1: 7, 2: 13}
"""Groups of a block, by its words."""
SUM_WORDS = FILTERS_PER_TILE // 2


class Conv(Workings):
    """See :class:`Workings`."""

    def compute(self, layer: Layer, given: npt.NDArray[Any], kernel: Kernel | None) -> Sums:
        """Half the sums of +-1 products, padded with +1."""
        assert kernel is not None
        return convolve(signs(given), signs(kernel), layer, 1) // 2

    def least_work_bytes(self, layer: Layer) -> int:
        """One row at a time, or the whole image if that takes less."""
        return min(_band_bytes(layer, 1), _band_bytes(layer, layer.out_shape[0]))

    def most_work_bytes(self, layer: Layer) -> int:
        """The whole image at once."""
        return _band_bytes(layer, layer.out_shape[0])

    def work_steps(self, layer: Layer) -> Sequence[int]:
        """As many rows at a time as fit."""
        return [_band_bytes(layer, rows) for rows in range(1, layer.out_shape[0] + 1)]

    def count_turns(self, layer: Layer, work_bytes: int) -> Turns:
        """Band by band: the input's indices into tables, then tile by tile tables and sums."""
        turns: Turns = Counter()
        height, width, filters = layer.out_shape
        block_words, blocks, row_slots = _geometry(layer)
        kind = f"conv{WORD_BITS * block_words}"
        tiles = filters // FILTERS_PER_TILE
        rows = _band_rows(layer, work_bytes)
        whole = rows == height
        reads = min((rows - 1) * layer.stride + layer.kernel, layer.in_shape[0])
        turns[f"{kind} index"] += 2 * layer.pad * blocks * reads + TABLE_SLOTS
        turns["conv index run"] += 2 * layer.pad * blocks * reads + TABLE_SLOTS
        turns["conv tile"] += tiles
        for top in range(0, height, rows):
            count = min(rows, height - top)
            begin = max(0, top * layer.stride - layer.pad)
            end = (top + count - 1) * layer.stride + layer.kernel - layer.pad
            in_rows = max(0, min(end, layer.in_shape[0]) - begin)
            times = 1 if whole else tiles
            turns[f"{kind} index"] += times * in_rows * layer.in_shape[1] * blocks
            turns["conv index run"] += times * in_rows
            turns["conv band"] += tiles
            turns["conv start"] += tiles * count * width
            turns.update(count_stage(layer, tiles, tiles * count * width))
            for ky in range(layer.kernel):
                inside = [
                    y
                    for y in range(top, top + count)
                    if 0 <= y * layer.stride + ky - layer.pad < layer.in_shape[0]
                ]
                outside = count - len(inside)
                for first in range(0, row_slots, TABLE_SLOTS):
                    slots = min(TABLE_SLOTS, row_slots - first)
                    turns["conv pass"] += tiles
                    turns[f"{kind} table"] += tiles * slots
                    turns[f"{kind} row"] += tiles * len(inside)
                    turns[f"{kind} add {slots}"] += tiles * len(inside) * width
                    if outside:
                        turns["conv outside"] += tiles
                        turns[f"{kind} add {slots}"] += tiles
                        turns["conv outside add"] += tiles * outside * width
        return turns

    def draws(self, layer: Layer, work_bytes: int) -> Counter[int]:
        """A few slots of a kernel row if the whole image is computed at once; else whole tiles."""
        if _band_rows(layer, work_bytes) != layer.out_shape[0]:
            return super().draws(layer, work_bytes)
        tiles = layer.out_shape[2] // FILTERS_PER_TILE
        block_words, _, row_slots = _geometry(layer)
        sizes: Counter[int] = Counter()
        for first in range(0, row_slots, TABLE_SLOTS):
            slots = min(TABLE_SLOTS, row_slots - first)
            sizes[slots * block_words * UNIT_WORDS * WORD_BYTES] += tiles * layer.kernel
        return sizes


def _geometry(layer: Layer) -> tuple[int, int, int]:
    """Words of a block, blocks of a pixel, slots of a kernel row."""
    in_words = layer.in_shape[2] // WORD_BITS
    block_words = 1 if in_words % 2 else 2
    blocks = in_words // block_words
    return block_words, blocks, layer.kernel * blocks


def _band_rows(layer: Layer, work_bytes: int) -> int:
    """Output rows that it computes at a time."""
    rows = height = layer.out_shape[0]
    while rows > 1 and _band_bytes(layer, rows) > work_bytes:
        rows -= 1
    bands = -(-height // rows)
    return -(-height // bands)


def _band_bytes(layer: Layer, rows: int) -> int:
    """Working memory with which it computes ``rows`` output rows at a time."""
    in_words = layer.in_shape[2] // WORD_BITS
    block_words, blocks, _ = _geometry(layer)
    groups = TABLE_GROUPS[block_words]
    pixel_words = blocks * groups
    reach = (rows - 1) * layer.stride + layer.kernel
    total = groups * (TABLE_GROUP_WORDS + TABLE_SLOTS)
    if rows == layer.out_shape[0]:
        total += TABLE_SLOTS * block_words * UNIT_WORDS
    else:
        total += layer.kernel**2 * in_words * UNIT_WORDS
    total += rows * layer.out_shape[1] * SUM_WORDS
    total += min(reach, layer.in_shape[0]) * (layer.in_shape[1] + 2 * layer.pad) * pixel_words
    return total * WORD_BYTES


WORKINGS.register(operators.CONV, Conv())
