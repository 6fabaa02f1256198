"""C kernels against numpy over random shapes and extreme values, under sanitizers."""

from __future__ import annotations

import binascii
import struct
from pathlib import Path

import core_driver
import numpy as np
import pytest
from core_driver import Driver
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rbnn.export import reference
from rbnn.export.params import TaskParams
from rbnn.nets.topology import Layer
from rbnn.spec import packing
from rbnn.spec.layout import MAX_WINDOW_WORDS, Adapter, Operator
from rbnn.spec.scores import softmax_ppm

CASES = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def bits(rng: np.random.Generator, fill: str, *shape: int) -> packing.Bits:
    """Random bits, or all zeros or ones."""
    return {"zeros": np.zeros(shape, bool), "ones": np.ones(shape, bool)}.get(
        fill, rng.random(shape) < 0.5
    )


@st.composite
def windows(draw: st.DrawFn, op: Operator, channels: st.SearchStrategy[int]) -> Layer:
    """A stem, convolution or pool of any shape that the format allows."""
    kernel = draw(st.integers(1, 7 if op is Operator.STEM else 5))
    pad = 0 if op is Operator.MAX_POOL else draw(st.integers(0, kernel - 1))
    stride = draw(st.integers(1, 3))
    smallest = max(1, kernel - 2 * pad)
    height, width = (draw(st.integers(smallest, smallest + 5)) for _ in range(2))
    inputs = draw(channels)
    filters = inputs if op is Operator.MAX_POOL else draw(st.sampled_from([32, 64, 96]))
    out = [(side + 2 * pad - kernel) // stride + 1 for side in (height, width)]
    return Layer(op, (height, width, inputs), (out[0], out[1], filters), kernel, stride, pad)


FILLS = st.sampled_from(["random", "zeros", "ones"])
SEEDS = st.integers(0, 2**32 - 1)


@CASES
@given(
    layer=windows(Operator.STEM, st.integers(1, 4)),
    seed=SEEDS,
    fill=FILLS,
    pixel=st.sampled_from([None, 0, 255]),
    replicate=st.booleans(),
)
def test_stem(
    driver: Driver, layer: Layer, seed: int, fill: str, pixel: int | None, replicate: bool
) -> None:
    rng = np.random.default_rng(seed)
    height, width, channels = layer.in_shape
    own = 1 if replicate else channels
    images = rng.integers(0, 256, (1, height, width, own), dtype=np.uint8)
    if pixel is not None:
        images[:] = pixel
    offsets = tuple(int(value) for value in rng.integers(0, 256, channels))
    row_bits = layer.kernel**2 * channels
    rows = bits(rng, fill, layer.out_shape[2], row_bits)
    params = TaskParams(
        ("a",), Adapter.REPLICATE if replicate else Adapter.IDENTITY, own, offsets, {},
        np.zeros(1, np.int32), np.zeros(1, np.int32),
    )  # fmt: skip
    sums = reference.convolve(reference.adapt(images, params), rows, layer, 0)
    # Thresholds at, above and below sums that occur.
    thresholds = rng.choice(sums.reshape(-1), layer.out_shape[2]) + rng.integers(-1, 2)
    thresholds = np.clip(thresholds, -32768, 32767).astype(np.int16)
    # What lies behind a row's end is key stream on the device.
    packed = np.frombuffer(packing.pack_rows(rows), np.uint32).reshape(len(rows), -1).copy()
    if row_bits % 32:
        packed[:, -1] |= np.uint32((0xFFFFFFFF << (row_bits % 32)) & 0xFFFFFFFF)
    expected = packing.pack_rows(sums >= thresholds)
    got = driver.layer(
        core_driver.STEM, layer, data=images.tobytes(), rows=packed.tobytes(),
        params=thresholds.tobytes(), output_bytes=len(expected),
        stem=(own, 0 if replicate else 1, (*offsets, *[0] * (4 - channels))),
    )  # fmt: skip
    assert got == expected


@CASES
@given(
    layer=windows(Operator.CONV, st.sampled_from([32, 64, 96])),
    seed=SEEDS,
    fill=FILLS,
    input_fill=FILLS,
)
def test_conv(driver: Driver, layer: Layer, seed: int, fill: str, input_fill: str) -> None:
    rng = np.random.default_rng(seed)
    inputs = bits(rng, input_fill, 1, *layer.in_shape)
    rows = bits(rng, fill, layer.out_shape[2], layer.kernel**2 * layer.in_shape[2])
    assert rows.shape[1] <= MAX_WINDOW_WORDS * 32
    signs = np.where(inputs, np.float32(1), np.float32(-1))
    sums = reference.convolve(signs, rows, layer, 1)
    thresholds = rng.choice(sums.reshape(-1), layer.out_shape[2]) + rng.integers(-1, 2)
    thresholds = thresholds.astype(np.int16)
    expected = packing.pack_rows(sums >= thresholds)
    got = driver.layer(
        core_driver.CONV, layer, data=packing.pack_rows(inputs), rows=packing.pack_rows(rows),
        params=thresholds.tobytes(), output_bytes=len(expected),
    )  # fmt: skip
    assert got == expected


def test_conv_with_the_longest_filter(driver: Driver) -> None:
    layer = Layer(Operator.CONV, (3, 3, 896), (3, 3, 32), 3, 1, 1)
    rng = np.random.default_rng(1)
    inputs, rows = bits(rng, "random", 1, 3, 3, 896), bits(rng, "random", 32, 9 * 896)
    signs = np.where(inputs, np.float32(1), np.float32(-1))
    expected = packing.pack_rows(reference.convolve(signs, rows, layer, 1) >= 0)
    got = driver.layer(
        core_driver.CONV, layer, data=packing.pack_rows(inputs), rows=packing.pack_rows(rows),
        params=bytes(64), output_bytes=len(expected),
    )  # fmt: skip
    assert got == expected


@CASES
@given(layer=windows(Operator.MAX_POOL, st.sampled_from([32, 64, 128])), seed=SEEDS, fill=FILLS)
def test_pool(driver: Driver, layer: Layer, seed: int, fill: str) -> None:
    rng = np.random.default_rng(seed)
    inputs = bits(rng, fill, 1, *layer.in_shape) & (rng.random((1, *layer.in_shape)) < 0.2)
    expected = packing.pack_rows(reference.pool(inputs, layer))
    got = driver.layer(
        core_driver.POOL, layer, data=packing.pack_rows(inputs), output_bytes=len(expected)
    )
    assert got == expected


@CASES
@given(
    shape=st.tuples(st.integers(1, 4), st.integers(1, 4), st.sampled_from([32, 64])),
    outputs=st.integers(1, 64),
    seed=SEEDS,
    fill=FILLS,
    input_fill=FILLS,
)
def test_dense(
    driver: Driver,
    shape: tuple[int, int, int],
    outputs: int,
    seed: int,
    fill: str,
    input_fill: str,
) -> None:
    rng = np.random.default_rng(seed)
    count = shape[0] * shape[1] * shape[2]
    inputs, rows = bits(rng, input_fill, 1, *shape), bits(rng, fill, outputs, count)
    scales = rng.integers(-(2**19), 2**19, outputs, dtype=np.int32)
    biases = rng.integers(-(2**30), 2**30, outputs, dtype=np.int32)
    products = reference.dense(inputs.reshape(1, -1), rows)[0]
    expected = (products * scales + biases).astype("<i4").tobytes()
    got = driver.layer(
        core_driver.DENSE, Layer(Operator.DENSE, shape, (1, 1, outputs)),
        data=packing.pack_rows(inputs), rows=packing.pack_rows(rows),
        params=scales.tobytes() + biases.tobytes(), output_bytes=len(expected),
    )  # fmt: skip
    assert got == expected


@CASES
@given(st.lists(st.integers(-(2**31), 2**31 - 1), min_size=1, max_size=64))
def test_scores_of_any_logits(driver: Driver, logits: list[int]) -> None:
    expected = struct.pack(f"<{len(logits)}I", *softmax_ppm(logits))
    data = struct.pack(f"<{len(logits)}i", *logits)
    assert driver.call(core_driver.SCORES, data=data, output=bytes(4 * len(logits))) == expected


@CASES
@given(st.lists(st.integers(-(2**21), 2**21), min_size=2, max_size=12))
def test_scores_of_close_logits(driver: Driver, logits: list[int]) -> None:
    expected = struct.pack(f"<{len(logits)}I", *softmax_ppm(logits))
    data = struct.pack(f"<{len(logits)}i", *logits)
    assert driver.call(core_driver.SCORES, data=data, output=bytes(4 * len(logits))) == expected


@CASES
@given(data=st.binary(max_size=200), cut=st.integers(0, 200))
def test_crc32_in_two_parts(driver: Driver, data: bytes, cut: int) -> None:
    arguments = bytes(44) + struct.pack("<I", min(cut, len(data)))
    answer = driver.call(core_driver.CRC, arguments=arguments, data=data, output=bytes(4))
    assert struct.unpack("<I", answer)[0] == binascii.crc32(data)


def test_a_tile_one_word_short_is_seen(driver_program: Path) -> None:
    """The driver sees what it is for; without this the tests above could pass on anything."""
    own = Driver(driver_program)
    layer = Layer(Operator.DENSE, (1, 1, 64), (1, 1, 1))
    with pytest.raises(AssertionError, match="AddressSanitizer"):
        own.layer(
            core_driver.DENSE, layer, data=bytes(8), rows=bytes(4), params=bytes(8), output_bytes=4
        )
