"""Logits from bits; ``rbnn_dense``."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import numpy.typing as npt

from rbnn.nets.topology import Layer
from rbnn.operators.windows import Sums, signs
from rbnn.operators.workings import UNIT_WORDS, WORKINGS, Kernel, Turns, Workings
from rbnn.spec import operators
from rbnn.spec.packing import FILTERS_PER_TILE, UNIT_BYTES, WORD_BYTES, words_per_row

BLOCK_UNITS = 4
"""Fewest units that are drawn at once; ``dense_count.h``."""
TREE_PAIRS = 8


class Dense(Workings):
    """See :class:`Workings`."""

    def compute(self, layer: Layer, given: npt.NDArray[Any], kernel: Kernel | None) -> Sums:
        """Inner products of +-1 values."""
        assert kernel is not None
        flat = given.reshape(len(given), -1)
        return np.asarray(signs(flat) @ signs(kernel)).astype(np.int64)

    def least_work_bytes(self, layer: Layer) -> int:
        """A tile's counters, and one block of weights."""
        units = words_per_row(layer.filter_bits)
        return (units + min(units, BLOCK_UNITS)) * UNIT_WORDS * WORD_BYTES

    def most_work_bytes(self, layer: Layer) -> int:
        """With room for all weights of a tile."""
        return 2 * words_per_row(layer.filter_bits) * UNIT_WORDS * WORD_BYTES

    def count_turns(self, layer: Layer, work_bytes: int) -> Turns:
        """Tile by tile: blocks of four units, the units left over, the tree of carries."""
        units = words_per_row(layer.filter_bits)
        filters = layer.out_shape[2]
        tiles = -(-filters // FILTERS_PER_TILE)
        turns: Turns = Counter({"dense unit": units, "dense tile": tiles, "dense class": filters})
        turns["dense piece"] = tiles * -(-units // _piece(units, work_bytes))
        blocks, rest = divmod(units, BLOCK_UNITS)
        turns["dense block"] = tiles * blocks
        turns["dense rest"] = tiles * rest
        turns["dense rest tree"] = tiles * bool(rest)
        carries = blocks + bool(rest)
        while carries > 1:
            carries = -(-carries // TREE_PAIRS)
            turns["dense tree"] += tiles * carries
        quarters = -(-(units * UNIT_WORDS).bit_length() // 4)
        turns["dense quarter"] = tiles * max(0, quarters - 2)
        return turns

    def draws(self, layer: Layer, work_bytes: int) -> Counter[int]:
        """Each tile in pieces as large as there is room for."""
        tiles = -(-layer.out_shape[2] // FILTERS_PER_TILE)
        units = words_per_row(layer.filter_bits)
        piece = _piece(units, work_bytes)
        sizes: Counter[int] = Counter({piece * UNIT_BYTES: tiles * (units // piece)})
        if units % piece:
            sizes[units % piece * UNIT_BYTES] += tiles
        return sizes


def _piece(units: int, work_bytes: int) -> int:
    """Units that are drawn at once."""
    piece = work_bytes // UNIT_BYTES - units
    return piece - piece % BLOCK_UNITS if piece < units else units


WORKINGS.register(operators.DENSE, Dense())
