"""The order of bits in memory: one order for weights, activations and golden vectors.

A bit is 1 for the value +1 and 0 for -1. Words are stored little-endian. A layer's kernel has one
of these packings (``rbnn.spec.layout.Packing``):

ROWS
    A *row* (one filter, or the channels of one pixel) is padded with zero bits to whole 32-bit
    words. Bit ``k`` of a row is bit ``k % 32`` of its word ``k // 32``. A filter's bits are ordered
    kernel row, kernel column, input channel, with the input channel running fastest, so a filter
    lies in memory in the order in which a kernel walks over an image stored row, column, channel.
    Activations are rows, one per pixel.
TILES
    Made for table look-up: 16 filters a *tile*; within it, for each tap in the order kernel row,
    kernel column, for each word of 32 input channels, one *unit* of 64 bytes, which is one block
    of the key stream. Unit ``(tile * taps + tap) * in_words + word`` holds 8 groups of 4 channels,
    each group two words: word ``o`` is filters ``8 o .. 8 o + 7`` of the tile. In it the weight of
    channel ``4 group + b`` of filter ``8 o + f`` is bit ``4 * lane + b``, ``lane`` being the three
    bits of ``f`` reversed: widening a word of eight 4-bit lanes by halves then leaves neighbours
    together.
PAIRS
    Made for carry-save counting: 16 filters a tile; within it, for each word of 32 inputs, one
    unit of 64 bytes, unit ``tile * in_words + word``. A unit's word ``i`` is inputs ``2 i`` and
    ``2 i + 1``: that of input ``2 i + b`` and filter ``f`` is bit ``2 * lane + b``, ``lane`` being
    the four bits of ``f`` reversed. The words ``x0, x1, ...`` of a tile are not stored as they are
    but four at a time as ``x0 ^ x1, x0 ^ z, x2 ^ x3, x2 ^ x0 ^ x1 ^ z``, where ``z`` is the
    exclusive or of all the tile's words before these four: what a modified double full adder
    (Demenkov, Kojevnikov, Kulikov, Yaroslavtsev, "New upper bounds on the Boolean circuit
    complexity of symmetric functions", 2010) computes first. The mix is linear and one to one, so
    that a key stream acts on mixed words as on plain ones.

Padding filters and padding channels are packed as zero bits. The key stream covers them too.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rbnn.spec.layout import Packing

WORD_BITS = 32
WORD_BYTES = 4
FILTERS_PER_TILE = 16
"""Filters that one reconfigured tile holds; 16 rows of whole words are whole ChaCha blocks."""
FILTERS_PER_WORD = 8
"""Filters of one word of a unit: an octet."""
CHANNELS_PER_GROUP = 4
"""Channels of one word of a unit."""
UNIT_BYTES = 64
"""One tap and 32 input channels of a tile; one block of the key stream."""

INPUTS_PER_WORD = 2
"""Inputs of one word of a unit of PAIRS."""
PAIRS_LANE_FILTERS = (0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15)
"""The filter of a tile in each 2-bit lane, lowest lane first; its own inverse."""

LANE_FILTERS = (0, 4, 2, 6, 1, 5, 3, 7)
"""The filter of an octet in each 4-bit lane, lowest lane first; its own inverse."""

Bits = npt.NDArray[np.bool_]


def words_per_row(bits: int) -> int:
    """Number of 32-bit words that a row of ``bits`` bits takes."""
    return -(-bits // WORD_BITS)


def pack_rows(bits: Bits) -> bytes:
    """Pack the last axis of ``bits`` as rows.

    Args:
        bits: bool array of shape (..., bits_per_row); True stands for +1.

    Returns:
        The rows in C order, each ``4 * words_per_row(bits_per_row)`` bytes long.
    """
    row_bits = bits.shape[-1]
    width = words_per_row(row_bits) * WORD_BITS
    padded = np.zeros((*bits.shape[:-1], width), dtype=np.bool_)
    padded[..., :row_bits] = bits
    return np.packbits(padded, axis=-1, bitorder="little").tobytes()


def unpack_rows(data: bytes, row_bits: int) -> Bits:
    """Undo :func:`pack_rows`.

    Args:
        data: whole rows, as packed.
        row_bits: bits of one row, without its padding.

    Returns:
        bool array of shape (rows, row_bits).

    Raises:
        ValueError: ``data`` is not a whole number of rows.
    """
    row_bytes = words_per_row(row_bits) * WORD_BYTES
    if row_bytes == 0 or len(data) % row_bytes:
        raise ValueError(
            f"Packed rows of {row_bits} bits have {row_bytes} bytes each. Received: {len(data)}"
        )
    raw = np.frombuffer(data, dtype=np.uint8).reshape(-1, row_bytes)
    return np.unpackbits(raw, axis=-1, bitorder="little")[:, :row_bits].astype(np.bool_)


def kernel_to_rows(kernel: Bits) -> Bits:
    """Reorder a kernel from Keras' order to packing order.

    Args:
        kernel: bool array, (height, width, in, out) of a convolution or (in, out) of a dense
            layer.

    Returns:
        bool array of shape (out, bits per filter).
    """
    return np.moveaxis(kernel, -1, 0).reshape(kernel.shape[-1], -1)


def rows_to_kernel(rows: Bits, shape: tuple[int, ...]) -> Bits:
    """Undo :func:`kernel_to_rows` for a kernel of ``shape`` (Keras' order)."""
    return np.moveaxis(rows.reshape(shape[-1], *shape[:-1]), 0, -1)


def padded_shape(shape: tuple[int, ...], packing: Packing) -> tuple[int, ...]:
    """A kernel's shape with its padding channels and padding filters.

    Args:
        shape: Keras' order, (height, width, in, out) or (in, out).
        packing: of the layer.
    """
    *taps, channels, filters = shape
    match packing:
        case Packing.ROWS:
            # The filters of a stem become channels and are padded; classes are not.
            return (*taps, channels, round_up(filters, WORD_BITS) if taps else filters)
        case Packing.TILES:
            return (*taps, round_up(channels, WORD_BITS), round_up(filters, WORD_BITS))
        case Packing.PAIRS:
            return (*taps, round_up(channels, WORD_BITS), round_up(filters, FILTERS_PER_TILE))
        case _:
            raise ValueError(f"There is no packing of kernels {packing!r}.")


def packed_bytes(shape: tuple[int, ...], packing: Packing) -> int:
    """Size of a packed kernel of ``shape`` (Keras' order)."""
    *taps, channels, filters = padded_shape(shape, packing)
    if packing is Packing.ROWS:
        return filters * words_per_row(_product(taps) * channels) * WORD_BYTES
    return _product(taps) * channels * filters // 8


def pack_kernel(bits: Bits, packing: Packing) -> bytes:
    """Pack a layer's kernel.

    Args:
        bits: bool array in Keras' order, (height, width, in, out) or (in, out).
        packing: of the layer.

    Returns:
        ``packed_bytes(bits.shape, packing)`` bytes.
    """
    padded = np.zeros(padded_shape(bits.shape, packing), dtype=np.bool_)
    padded[tuple(slice(size) for size in bits.shape)] = bits
    match packing:
        case Packing.ROWS:
            return pack_rows(kernel_to_rows(padded))
        case Packing.PAIRS:
            return _pack_pairs(padded)
        case _:
            return _pack_tiles(padded)


def unpack_padded(data: bytes, shape: tuple[int, ...], packing: Packing) -> Bits:
    """Undo :func:`pack_kernel`, keeping what the key stream has made of the padding.

    Args:
        data: ``packed_bytes(shape, packing)`` bytes.
        shape: the kernel's without padding, Keras' order.
        packing: of the layer.

    Returns:
        bool array of shape ``padded_shape(shape, packing)``.

    Raises:
        ValueError: ``data`` has another size.
    """
    expected = packed_bytes(shape, packing)
    if len(data) != expected:
        raise ValueError(f"A kernel of {shape} packs to {expected} bytes. Received: {len(data)}")
    padded = padded_shape(shape, packing)
    match packing:
        case Packing.ROWS:
            return rows_to_kernel(unpack_rows(data, _product(padded[:-1])), padded)
        case Packing.PAIRS:
            return _unpack_pairs(data, padded)
        case _:
            return _unpack_tiles(data, padded)


def unpack_kernel(data: bytes, shape: tuple[int, ...], packing: Packing) -> Bits:
    """Undo :func:`pack_kernel`, dropping the padding; see :func:`unpack_padded`."""
    padded = unpack_padded(data, shape, packing)
    return padded[tuple(slice(size) for size in shape)]


def _pack_tiles(kernel: Bits) -> bytes:
    """Pack a padded (height, width, in, out) kernel as TILES."""
    height, width, channels, filters = kernel.shape
    axes = kernel.reshape(
        height * width,
        channels // WORD_BITS,
        WORD_BITS // CHANNELS_PER_GROUP,
        CHANNELS_PER_GROUP,
        filters // FILTERS_PER_TILE,
        FILTERS_PER_TILE // FILTERS_PER_WORD,
        FILTERS_PER_WORD,
    )
    lanes = axes[..., LANE_FILTERS]
    # To tile, tap, word, group, octet, lane, channel of the group.
    ordered = lanes.transpose(4, 0, 1, 2, 5, 6, 3)
    return np.packbits(ordered.reshape(-1), bitorder="little").tobytes()


def _unpack_tiles(data: bytes, shape: tuple[int, ...]) -> Bits:
    """Undo :func:`_pack_tiles`; ``shape`` is the padded kernel's."""
    height, width, channels, filters = shape
    raw = np.unpackbits(np.frombuffer(data, dtype=np.uint8), bitorder="little")
    ordered = raw.astype(np.bool_).reshape(
        filters // FILTERS_PER_TILE,
        height * width,
        channels // WORD_BITS,
        WORD_BITS // CHANNELS_PER_GROUP,
        FILTERS_PER_TILE // FILTERS_PER_WORD,
        FILTERS_PER_WORD,
        CHANNELS_PER_GROUP,
    )
    # Back to tap, word, group, channel of the group, tile, octet, lane.
    axes = ordered.transpose(1, 2, 3, 6, 0, 4, 5)
    return axes[..., LANE_FILTERS].reshape(shape)


def _pack_pairs(kernel: Bits) -> bytes:
    """Pack a padded (in, out) kernel as PAIRS."""
    inputs, filters = kernel.shape
    axes = kernel.reshape(
        inputs // INPUTS_PER_WORD, INPUTS_PER_WORD, filters // FILTERS_PER_TILE, FILTERS_PER_TILE
    )
    # To tile, word, lane, input of the word.
    plain = axes[..., PAIRS_LANE_FILTERS].transpose(2, 0, 3, 1)
    before = np.logical_xor.accumulate(plain, axis=1) ^ plain
    mixed = np.empty_like(plain)
    mixed[:, 0::2] = plain[:, 0::2] ^ plain[:, 1::2]
    mixed[:, 1::2] = plain[:, 0::2] ^ before[:, 0::2]
    return np.packbits(mixed.reshape(-1), bitorder="little").tobytes()


def _unpack_pairs(data: bytes, shape: tuple[int, ...]) -> Bits:
    """Undo :func:`_pack_pairs`; ``shape`` is the padded kernel's."""
    inputs, filters = shape
    raw = np.unpackbits(np.frombuffer(data, dtype=np.uint8), bitorder="little")
    mixed = raw.astype(np.bool_).reshape(
        filters // FILTERS_PER_TILE, inputs // INPUTS_PER_WORD, FILTERS_PER_TILE, INPUTS_PER_WORD
    )
    sums = mixed[:, 0::2]
    before = np.logical_xor.accumulate(sums, axis=1) ^ sums
    plain = np.empty_like(mixed)
    plain[:, 0::2] = mixed[:, 1::2] ^ before
    plain[:, 1::2] = plain[:, 0::2] ^ sums
    axes = plain.transpose(1, 3, 0, 2)
    return axes[..., PAIRS_LANE_FILTERS].reshape(shape)


def round_up(value: int, step: int) -> int:
    """``value`` or the next multiple of ``step``."""
    return -(-value // step) * step


def _product(sizes: tuple[int, ...] | list[int]) -> int:
    total = 1
    for size in sizes:
        total *= size
    return total
