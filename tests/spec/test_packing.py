"""Bits in memory: round trips and the order that SPEC.md shows by example."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from rbnn.spec import packing
from rbnn.spec.layout import Packing


def test_first_bit_is_the_lowest_bit_of_the_first_byte() -> None:
    row = np.zeros(40, dtype=np.bool_)
    row[[0, 9, 33]] = True
    assert packing.pack_rows(row).hex() == "0102000002000000"


@given(hnp.arrays(np.bool_, st.tuples(st.integers(1, 5), st.integers(1, 100))))
def test_rows_round_trip(rows: np.ndarray) -> None:
    packed = packing.pack_rows(rows)
    assert len(packed) == rows.shape[0] * 4 * packing.words_per_row(rows.shape[1])
    assert np.array_equal(packing.unpack_rows(packed, rows.shape[1]), rows)


@given(hnp.arrays(np.bool_, st.tuples(*[st.integers(1, 4)] * 3, st.integers(1, 9))))
def test_kernels_round_trip_and_channels_run_fastest(kernel: np.ndarray) -> None:
    rows = packing.kernel_to_rows(kernel)
    assert np.array_equal(packing.rows_to_kernel(rows, kernel.shape), kernel)
    height, width, channels, filters = kernel.shape
    assert rows.shape == (filters, height * width * channels)
    assert rows[-1, -1] == kernel[-1, -1, -1, -1]
    assert rows[0, channels - 1] == kernel[0, 0, -1, 0]


def test_unpack_refuses_part_of_a_row() -> None:
    with pytest.raises(ValueError, match="8 bytes each"):
        packing.unpack_rows(bytes(12), 40)


def test_a_tile_is_whole_chacha_blocks() -> None:
    assert packing.FILTERS_PER_TILE * packing.WORD_BYTES % 64 == 0


KERNELS = hnp.arrays(
    np.bool_,
    st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 70), st.integers(1, 70)),
)


@given(KERNELS, st.sampled_from([Packing.ROWS, Packing.TILES]))
def test_kernels_round_trip_in_every_packing(kernel: np.ndarray, order: Packing) -> None:
    packed = packing.pack_kernel(kernel, order)
    assert len(packed) == packing.packed_bytes(kernel.shape, order)
    assert np.array_equal(packing.unpack_kernel(packed, kernel.shape, order), kernel)
    padded = packing.unpack_padded(packed, kernel.shape, order)
    assert padded.shape == packing.padded_shape(kernel.shape, order)
    assert padded.sum() == kernel.sum()


@given(st.integers(0, 2**32 - 1), st.sampled_from([(3, 2, 33, 17), (1, 1, 64, 32)]))
def test_any_bytes_are_a_padded_kernel(seed: int, shape: tuple[int, ...]) -> None:
    # A key stream leaves no padding as it was; nothing of it may be lost.
    data = np.random.default_rng(seed).bytes(packing.packed_bytes(shape, Packing.TILES))
    padded = packing.unpack_padded(data, shape, Packing.TILES)
    assert packing.pack_kernel(padded, Packing.TILES) == data


def test_tiles_lie_unit_by_unit_with_reversed_lanes() -> None:
    rng = np.random.default_rng(5)
    kernel = rng.integers(0, 2, (2, 3, 64, 64)).astype(np.bool_)
    words = np.frombuffer(packing.pack_kernel(kernel, Packing.TILES), dtype="<u4")
    for _ in range(200):
        y, x, channel, output = (int(rng.integers(size)) for size in kernel.shape)
        tile, octet, f = output // 16, output // 8 % 2, output % 8
        lane = int(f"{f:03b}"[::-1], 2)
        unit = (tile * 6 + y * 3 + x) * 2 + channel // 32
        word = int(words[unit * 16 + channel % 32 // 4 * 2 + octet])
        assert word >> (4 * lane + channel % 4) & 1 == kernel[y, x, channel, output]


def test_dense_rows_keep_their_classes_and_stems_pad_their_filters() -> None:
    assert packing.packed_bytes((40, 10), Packing.ROWS) == 10 * 8
    assert packing.packed_bytes((3, 3, 3, 40), Packing.ROWS) == 64 * 4


def test_unpack_refuses_another_size() -> None:
    with pytest.raises(ValueError, match="4608 bytes"):
        packing.unpack_padded(bytes(64), (3, 3, 64, 64), Packing.TILES)


def test_the_words_of_pairs_are_mixed_as_the_counter_takes_them() -> None:
    rng = np.random.default_rng(5)
    kernel = rng.random((96, 20)) < 0.5
    data = packing.pack_kernel(kernel, Packing.PAIRS)
    words = np.frombuffer(data, "<u4").reshape(2, 48).astype(np.int64)
    lanes = [int(f"{number:04b}"[::-1], 2) for number in range(16)]
    for channel in (0, 1):
        for number in range(20):
            bits = words[number // 16] >> (2 * lanes[number % 16] + channel) & 1
            plain, before = kernel[channel::2, number].astype(np.int64), 0
            for k in range(0, 48, 4):
                a, b, c, d = plain[k : k + 4]
                mixed = [a ^ b, a ^ before, c ^ d, c ^ a ^ b ^ before]
                assert bits[k : k + 4].tolist() == mixed
                before ^= a ^ b ^ c ^ d


@given(st.integers(1, 100), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_pairs_round_trip(inputs: int, filters: int, seed: int) -> None:
    kernel = np.random.default_rng(seed).random((inputs, filters)) < 0.5
    data = packing.pack_kernel(kernel, Packing.PAIRS)
    assert len(data) == packing.packed_bytes(kernel.shape, Packing.PAIRS)
    assert np.array_equal(packing.unpack_kernel(data, kernel.shape, Packing.PAIRS), kernel)
    padded = packing.unpack_padded(data, kernel.shape, Packing.PAIRS)
    assert padded.shape == packing.padded_shape(kernel.shape, Packing.PAIRS)
    assert padded.sum() == kernel.sum()
