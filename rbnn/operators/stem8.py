"""Convolution of the 8-bit image with 8-bit weights; ``rbnn_conv_stem8``."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import numpy.typing as npt

from rbnn.nets.topology import Layer
from rbnn.operators.windows import Sums, convolve, fused_pool
from rbnn.operators.workings import WORKINGS, Kernel, Turns, Workings, count_stage
from rbnn.spec import operators
from rbnn.spec.own_weights import FOUR, stem_shift
from rbnn.spec.packing import FILTERS_PER_TILE, WORD_BYTES, round_up

POSITIONS = 4
"""That are computed at once; ``conv_stem8_sums.h``."""
STAGE_TILE_WORDS = 73
"""Size of ``rbnn_stage_tile`` in ``stage.h``."""


class Stem8(Workings):
    """See :class:`Workings`."""

    def compute(self, layer: Layer, given: npt.NDArray[Any], kernel: Kernel | None) -> Sums:
        """The largest sums of products of each window of the fused pool, shifted."""
        assert kernel is not None
        sums = fused_pool(convolve(given, kernel.astype(np.float32), layer, 0), layer)
        shift = stem_shift(layer.filter_weights)
        return sums + (1 << shift >> 1) >> shift

    def least_work_bytes(self, layer: Layer) -> int:
        """Windows, weights, offsets, rows of the image, parameters, sums."""
        channels, filters = layer.in_shape[2], layer.out_shape[2]
        values, width, rows, line = _geometry(layer)
        tiles = filters // FILTERS_PER_TILE
        words = values // 2 * POSITIONS
        words += filters * values // 2
        words += values
        words += rows * round_up(line * channels, 2) // 2
        words += tiles * STAGE_TILE_WORDS
        words += tiles * width * FILTERS_PER_TILE // 2
        return words * WORD_BYTES

    def count_turns(self, layer: Layer, work_bytes: int) -> Turns:
        """Rows of the image, windows of four positions, their products with two filters each."""
        height, width, filters = layer.out_shape
        channels, pool = layer.in_shape[2], layer.pool
        values, padded_width, rows, line = _geometry(layer)
        tiles = filters // FILTERS_PER_TILE
        advance = layer.stride * pool
        kept = max(0, rows - advance)
        filled = height * (rows - kept) + kept
        steps = height * padded_width // (POSITIONS if pool == 1 else 1)
        pairs = steps * filters // 2
        kind = "pool" if pool > 1 else "plain"
        turns: Turns = Counter()
        turns["stem8 weight"] = filters * values // len(FOUR)
        turns["stem8 filter"] = filters
        turns["stem8 fill"] = filled
        turns["stem8 fill channel"] = filled * channels
        turns["stem8 pixel"] = filled * channels * layer.in_shape[1]
        turns["stem8 kept"] = (height - 1) * kept * round_up(line * channels, 2) // 2
        turns["stem8 row"] = height
        turns["stem8 step"] = steps
        turns["stem8 gather"] = steps * POSITIONS * values // 2
        turns["stem8 tile step"] = steps * tiles
        turns[f"stem8 pair {kind}"] = pairs
        turns["stem8 multiply"] = pairs * values // len(FOUR)
        turns["stem8 prepare"] = tiles
        turns += count_stage(layer, tiles * height, tiles * height * width)
        return turns

    def draws(self, layer: Layer, work_bytes: int) -> Counter[int]:
        """None: no stored bits."""
        return Counter()


def _geometry(layer: Layer) -> tuple[int, int, int, int]:
    """Values of a window with padding, width of a row of sums, image rows for it, their pixels."""
    values = round_up(layer.filter_weights, len(FOUR))
    width = round_up(layer.out_shape[1], POSITIONS if layer.pool == 1 else 1)
    rows = (layer.pool - 1) * layer.stride + layer.kernel
    line = (width * layer.pool - 1) * layer.stride + layer.kernel
    return values, width, rows, line


WORKINGS.register(operators.STEM8, Stem8())
