"""How often the device's kernels go through each of their loops, from shapes and working memory.

Mirrors the C: every function here is named for the file whose loops it counts. A loop's name is the
key of its cost in ``cost_table.py``; costs are instructions a turn, so a layer takes the sum of
turns times costs. No count depends on data.
"""

from __future__ import annotations

import math
from collections import Counter

from rbnn.container.shapes import row_bits
from rbnn.container.work import (
    STEM_NARROW,
    STEM_STRIDE,
    STEM_WIDE,
    TABLE_SLOTS,
    UNIT_WORDS,
    band_bytes,
)
from rbnn.nets.topology import Layer
from rbnn.spec.layout import Activation, Operator, Sign, Stage
from rbnn.spec.packing import FILTERS_PER_TILE, UNIT_BYTES, WORD_BITS, WORD_BYTES, words_per_row

Turns = Counter[str]

LANES = 8
"""Positions that the stem computes at once."""
UNROLLED_GROUPS = (3, 6, 9)
"""Groups of a stem's windows for which its assembly has a loop."""
BLOCK_UNITS = 4
TREE_PAIRS = 8


def count_turns(layer: Layer, work_bytes: int) -> Turns:
    """Turns of every loop of one run with the weights at hand.

    Args:
        layer: its channels are padded.
        work_bytes: working memory, at least the least that the layer runs with.
    """
    turns: Turns = Counter()
    turns[layer.op.name.lower()] = 1
    match layer.op:
        case Operator.STEM:
            _conv_stem(layer, turns)
        case Operator.CONV:
            _conv_binary(layer, work_bytes, turns)
        case Operator.MAX_POOL:
            _max_pool(layer, turns)
        case Operator.AVERAGE_POOL:
            _average_pool(layer, turns)
        case Operator.DENSE:
            _dense(layer, work_bytes, turns)
        case Operator.DENSE_STREAM:
            _dense_stream(layer, turns)
    return turns


def count_draws(layer: Layer, work_bytes: int) -> Turns:
    """Turns that reconfiguration adds where the layer's bits stream: calls and blocks."""
    turns: Turns = Counter()
    if not layer.bits:
        return turns
    sizes = _draws(layer, work_bytes)
    turns["stream layer"] = 1
    for size, calls in sizes.items():
        turns["stream call"] += calls
        turns["stream block"] += calls * (size // UNIT_BYTES)
        turns["stream rest"] += calls * bool(size % UNIT_BYTES)
    return turns


def _draws(layer: Layer, work_bytes: int) -> Counter[int]:
    """Bytes of a call of the source, and how many such calls."""
    filters = layer.out_shape[2]
    tiles = -(-filters // FILTERS_PER_TILE)
    tile = words_per_row(row_bits(layer)) * WORD_BYTES * FILTERS_PER_TILE
    draws: Counter[int] = Counter()
    if layer.op is Operator.CONV and band_rows(layer, work_bytes) == layer.out_shape[0]:
        block_words, _, row_slots = _conv_geometry(layer)
        for first in range(0, row_slots, TABLE_SLOTS):
            slots = min(TABLE_SLOTS, row_slots - first)
            draws[slots * block_words * UNIT_WORDS * WORD_BYTES] += tiles * layer.kernel
    elif layer.op is Operator.DENSE:
        units = words_per_row(layer.kernel_shape[0])
        piece = dense_piece(units, work_bytes)
        draws[piece * UNIT_BYTES] += tiles * (units // piece)
        if units % piece:
            draws[units % piece * UNIT_BYTES] += tiles
    elif layer.op is Operator.DENSE_STREAM:
        row = words_per_row(row_bits(layer)) * WORD_BYTES
        draws[tile] += filters // FILTERS_PER_TILE
        draws[filters % FILTERS_PER_TILE * row] += bool(filters % FILTERS_PER_TILE)
    else:
        draws[tile] += tiles
    return +draws


def _conv_geometry(layer: Layer) -> tuple[int, int, int]:
    """Words of a block, blocks of a pixel, slots of a kernel row."""
    in_words = layer.in_shape[2] // WORD_BITS
    block_words = 1 if in_words % 2 else 2
    blocks = in_words // block_words
    return block_words, blocks, layer.kernel * blocks


def band_rows(layer: Layer, work_bytes: int) -> int:
    """Output rows that a binary convolution goes over at a time."""
    rows = height = layer.out_shape[0]
    while rows > 1 and band_bytes(layer, rows) > work_bytes:
        rows -= 1
    bands = -(-height // rows)
    return -(-height // bands)


def _conv_binary(layer: Layer, work_bytes: int, turns: Turns) -> None:
    height, width, filters = layer.out_shape
    block_words, blocks, row_slots = _conv_geometry(layer)
    kind = f"conv{WORD_BITS * block_words}"
    tiles = filters // FILTERS_PER_TILE
    rows = band_rows(layer, work_bytes)
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
        _stage(layer, tiles, tiles * count * width, turns)
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


def _stage(layer: Layer, calls: int, positions: int, turns: Turns) -> None:
    """``calls`` of the stage over ``positions`` of 16 filters in all."""
    if layer.stage is Stage.THRESHOLD:
        kind = "signs" if layer.op is Operator.CONV else "threshold"
    elif layer.activation is Activation.RPRELU:
        kind = "rprelu"
    elif layer.sign is Sign.THRESHOLDS:
        kind = "rsign"
    else:
        kind = "residual"
    op = layer.op.name.lower()
    turns[f"{op} {kind} call"] += calls
    turns[f"{op} {kind}"] += positions


def _conv_stem(layer: Layer, turns: Turns) -> None:
    height, width, filters = layer.out_shape
    channels, pool = layer.in_shape[2], layer.pool
    count = layer.kernel**2 * channels
    groups = math.ceil(math.ceil(count / STEM_WIDE) / STEM_STRIDE) * STEM_STRIDE
    wide = max(count, STEM_NARROW * groups) - STEM_NARROW * groups
    tiles = filters // FILTERS_PER_TILE
    step = LANES if pool == 1 else LANES // 4
    steps = height * -(-width // step)
    phases = layer.stride * pool
    rows = (pool - 1) * layer.stride + layer.kernel
    turns["stem value"] += (groups * STEM_NARROW + wide) * 4
    turns["stem code"] += filters * groups
    kept = max(0, rows - phases)
    turns["stem row"] += height
    turns["stem pixel"] += (height * (rows - kept) + kept) * layer.in_shape[1] * channels
    turns["stem fill"] += (height * (rows - kept) + kept) * channels * phases
    length = -(-width // step) * step + (rows - 1) // phases
    turns["stem kept"] += (height - 1) * kept * channels * phases * (length + length % 2) // 2
    turns["stem table wide"] += steps * wide
    turns["stem table narrow"] += steps * (groups - wide)
    turns["stem step"] += steps
    turns["stem tile step"] += steps * tiles
    sums = "stem sum" if groups in UNROLLED_GROUPS else "stem sum any"
    turns[sums] += steps * tiles * groups
    tail = "compare" if layer.stage is Stage.THRESHOLD else "turn"
    turns[f"stem {tail} {'pool' if pool > 1 else 'plain'}"] += steps * tiles
    turns["stem prepare"] += tiles
    if layer.stage is not Stage.THRESHOLD:
        _stage(layer, tiles * height, tiles * height * width, turns)


def _max_pool(layer: Layer, turns: Turns) -> None:
    height, width, channels = layer.out_shape
    words = height * width * channels // WORD_BITS
    turns["max_pool position"] += height * width
    turns["max_pool word 2x2" if layer.kernel == 2 else "max_pool word"] += words
    if layer.kernel != 2:
        turns["max_pool tap"] += words * layer.kernel**2


def _average_pool(layer: Layer, turns: Turns) -> None:
    height, width, channels = layer.out_shape
    values = height * width * channels
    turns["average_pool position"] += height * width
    if layer.kernel == 2:
        turns["average_pool value 2x2"] += values
    else:
        turns["average_pool value"] += values
        turns["average_pool row"] += values * layer.kernel
        turns["average_pool tap"] += values * layer.kernel**2


def dense_piece(units: int, work_bytes: int) -> int:
    """Units that a dense layer over bits draws at once."""
    piece = work_bytes // UNIT_BYTES - units
    return piece - piece % BLOCK_UNITS if piece < units else units


def _dense(layer: Layer, work_bytes: int, turns: Turns) -> None:
    units = words_per_row(layer.kernel_shape[0])
    filters = layer.out_shape[2]
    tiles = -(-filters // FILTERS_PER_TILE)
    turns["dense unit"] += units
    turns["dense tile"] += tiles
    turns["dense class"] += filters
    piece = dense_piece(units, work_bytes)
    turns["dense piece"] += tiles * -(-units // piece)
    blocks, rest = divmod(units, BLOCK_UNITS)
    turns["dense block"] += tiles * blocks
    turns["dense rest"] += tiles * rest
    turns["dense rest tree"] += tiles * bool(rest)
    carries = blocks + bool(rest)
    while carries > 1:
        carries = -(-carries // TREE_PAIRS)
        turns["dense tree"] += tiles * carries
    quarters = -(-(units * UNIT_WORDS).bit_length() // 4)
    turns["dense quarter"] += tiles * max(0, quarters - 2)


def _dense_stream(layer: Layer, turns: Turns) -> None:
    words = words_per_row(layer.kernel_shape[0])
    filters = layer.out_shape[2]
    turns["dense_stream tile"] += -(-filters // FILTERS_PER_TILE)
    turns["dense_stream class"] += filters
    turns["dense_stream word"] += filters * words
