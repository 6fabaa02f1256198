"""Working memory of the device's kernels, as their ``*_work_bytes`` functions have it.

The tests hold each of these equal to the C function that it is named for. A convolution that has
more than the least makes fewer passes over the image, up to the most that it can use.
"""

from __future__ import annotations

from rbnn.nets.topology import Layer
from rbnn.spec.layout import Operator
from rbnn.spec.packing import FILTERS_PER_TILE, WORD_BITS, WORD_BYTES, words_per_row

TABLE_GROUP_WORDS = 3 * 256 // WORD_BYTES
"""Tables of three slots for one group of channels; ``conv_binary_tables.h``."""
TABLE_SLOTS = 3
TABLE_GROUPS = {1: 7, 2: 13}
"""Groups of a block, by its words."""
UNIT_WORDS = 16
DENSE_BLOCK_UNITS = 4
"""Of the dense layer over bits, drawn at once at least; ``dense_count.h``."""
SUM_WORDS = FILTERS_PER_TILE // 2

STEM_WORDS = 4
"""Of an entry of the stem's tables; ``conv_stem_lanes.h``."""
STEM_LANES = 2 * STEM_WORDS
STEM_NARROW = 4
STEM_WIDE = 5
STEM_STRIDE = 3
STAGE_TILE_WORDS = 73
"""``rbnn_stage_tile`` of ``stage.h``."""


def least_work_bytes(layer: Layer) -> int:
    """Bytes without which the layer's kernel does not run; ``rbnn_layer_work_bytes``."""
    match layer.op:
        case Operator.STEM:
            return stem_work_bytes(layer)
        case Operator.CONV:
            return min(band_bytes(layer, 1), band_bytes(layer, layer.out_shape[0]))
        case Operator.DENSE:
            return dense_work_bytes(layer)
        case Operator.DENSE_STREAM:
            return dense_stream_work_bytes(layer)
        case _:
            return 0


def most_work_bytes(layer: Layer) -> int:
    """Bytes beyond which the layer's kernel gains nothing."""
    if layer.op is Operator.CONV:
        return band_bytes(layer, layer.out_shape[0])
    if layer.op is Operator.DENSE:
        return 2 * words_per_row(layer.kernel_shape[0]) * UNIT_WORDS * WORD_BYTES
    return least_work_bytes(layer)


def band_bytes(layer: Layer, rows: int) -> int:
    """Of a binary convolution that goes over ``rows`` output rows at a time."""
    in_words = layer.in_shape[2] // WORD_BITS
    block_words = 1 if in_words % 2 else 2
    groups = TABLE_GROUPS[block_words]
    pixel_words = in_words // block_words * groups
    reach = (rows - 1) * layer.stride + layer.kernel
    total = groups * (TABLE_GROUP_WORDS + TABLE_SLOTS)
    if rows == layer.out_shape[0]:
        total += TABLE_SLOTS * block_words * UNIT_WORDS
    else:
        total += layer.kernel**2 * in_words * UNIT_WORDS
    total += rows * layer.out_shape[1] * SUM_WORDS
    total += min(reach, layer.in_shape[0]) * (layer.in_shape[1] + 2 * layer.pad) * pixel_words
    return total * WORD_BYTES


def stem_work_bytes(layer: Layer) -> int:
    """``rbnn_conv_stem_work_bytes``."""
    channels, filters = layer.in_shape[2], layer.out_shape[2]
    count = layer.kernel**2 * channels
    groups = _multiple(-(-count // STEM_WIDE), STEM_STRIDE)
    values = max(count, STEM_NARROW * groups)
    wide = values - STEM_NARROW * groups
    step = STEM_LANES if layer.pool == 1 else STEM_LANES // 4
    phases = layer.stride * layer.pool
    rows = (layer.pool - 1) * layer.stride + layer.kernel
    width = _multiple(layer.out_shape[1], step)
    length = _multiple(width + (rows - 1) // phases, 2)
    words = rows * channels * phases * length // 2
    words += (length + STEM_LANES) // 2
    words += values * STEM_WORDS
    words += ((groups + wide) << STEM_NARROW) * STEM_WORDS
    words += filters * groups
    words += filters // FILTERS_PER_TILE * STAGE_TILE_WORDS
    words += FILTERS_PER_TILE * STEM_WORDS
    words += filters // FILTERS_PER_TILE * width * FILTERS_PER_TILE // 2
    return words * WORD_BYTES


def dense_work_bytes(layer: Layer) -> int:
    """``rbnn_dense_work_bytes``."""
    units = words_per_row(layer.kernel_shape[0])
    return (units + min(units, DENSE_BLOCK_UNITS)) * UNIT_WORDS * WORD_BYTES


def dense_stream_work_bytes(layer: Layer) -> int:
    """``rbnn_dense_stream_work_bytes``."""
    return FILTERS_PER_TILE * words_per_row(layer.kernel_shape[0]) * WORD_BYTES


def _multiple(value: int, step: int) -> int:
    return -(-value // step) * step
