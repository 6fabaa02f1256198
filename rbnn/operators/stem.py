"""Convolution of the 8-bit image; ``rbnn_conv_stem``."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import numpy.typing as npt

from rbnn.nets.topology import Layer
from rbnn.operators.windows import Sums, convolve, fused_pool, signs
from rbnn.operators.workings import WORKINGS, Kernel, Turns, Workings, count_stage
from rbnn.spec import operators
from rbnn.spec.layout import Stage
from rbnn.spec.packing import FILTERS_PER_TILE, WORD_BYTES, round_up

ENTRY_WORDS = 4
"""Words of a table entry; ``conv_stem_lanes.h``."""
LANES = 2 * ENTRY_WORDS
"""Positions that are computed at once."""
NARROW = 4
WIDE = 5
GROUP_STRIDE = 3
UNROLLED_GROUPS = (3, 6, 9)
"""Groups of a window for which the assembly has a loop."""
STAGE_TILE_WORDS = 73
"""Size of ``rbnn_stage_tile`` in ``stage.h``."""


class Stem(Workings):
    """See :class:`Workings`."""

    def compute(self, layer: Layer, given: npt.NDArray[Any], kernel: Kernel | None) -> Sums:
        """Sums of +-1 products; the maximum over each window of the fused pool."""
        assert kernel is not None
        return fused_pool(convolve(given, signs(kernel), layer, 0), layer)

    def least_work_bytes(self, layer: Layer) -> int:
        """Rows of pixels, tables, filters' codes, parameters, sums."""
        channels, filters = layer.in_shape[2], layer.out_shape[2]
        count = layer.filter_bits
        groups = _groups(count)
        values = max(count, NARROW * groups)
        wide = values - NARROW * groups
        step = LANES if layer.pool == 1 else LANES // 4
        phases = layer.stride * layer.pool
        rows = (layer.pool - 1) * layer.stride + layer.kernel
        width = round_up(layer.out_shape[1], step)
        length = round_up(width + (rows - 1) // phases, 2)
        words = rows * channels * phases * length // 2
        words += (length + LANES) // 2
        words += values * ENTRY_WORDS
        words += ((groups + wide) << NARROW) * ENTRY_WORDS
        words += filters * groups
        words += filters // FILTERS_PER_TILE * STAGE_TILE_WORDS
        words += FILTERS_PER_TILE * ENTRY_WORDS
        words += filters // FILTERS_PER_TILE * width * FILTERS_PER_TILE // 2
        return words * WORD_BYTES

    def count_turns(self, layer: Layer, work_bytes: int) -> Turns:
        """Pixels to rows of lanes, tables of their sums, a look-up per group, filter and step."""
        height, width, filters = layer.out_shape
        channels, pool = layer.in_shape[2], layer.pool
        count = layer.filter_bits
        groups = _groups(count)
        wide = max(count, NARROW * groups) - NARROW * groups
        tiles = filters // FILTERS_PER_TILE
        step = LANES if pool == 1 else LANES // 4
        steps = height * -(-width // step)
        phases = layer.stride * pool
        rows = (pool - 1) * layer.stride + layer.kernel
        kept = max(0, rows - phases)
        length = -(-width // step) * step + (rows - 1) // phases
        turns: Turns = Counter()
        turns["stem value"] = (groups * NARROW + wide) * 4
        turns["stem code"] = filters * groups
        turns["stem row"] = height
        turns["stem pixel"] = (height * (rows - kept) + kept) * layer.in_shape[1] * channels
        turns["stem fill"] = (height * (rows - kept) + kept) * channels * phases
        turns["stem kept"] = (height - 1) * kept * channels * phases * (length + length % 2) // 2
        turns["stem table wide"] = steps * wide
        turns["stem table narrow"] = steps * (groups - wide)
        turns["stem step"] = steps
        turns["stem tile step"] = steps * tiles
        sums = "stem sum" if groups in UNROLLED_GROUPS else "stem sum any"
        turns[sums] = steps * tiles * groups
        tail = "compare" if layer.stage is Stage.THRESHOLD else "turn"
        turns[f"stem {tail} {'pool' if pool > 1 else 'plain'}"] = steps * tiles
        turns["stem prepare"] = tiles
        if layer.stage is not Stage.THRESHOLD:
            turns += count_stage(layer, tiles * height, tiles * height * width)
        return turns


def _groups(count: int) -> int:
    """Groups of the values of a window, four or five each."""
    return round_up(math.ceil(count / WIDE), GROUP_STRIDE)


WORKINGS.register(operators.STEM, Stem())
