"""Scores and CRC-32 of the C core against Python's."""

from __future__ import annotations

import binascii
import struct
from pathlib import Path

import core_driver
import pytest
from core_driver import Driver
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rbnn.spec.scores import softmax_ppm

CASES = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def scores(driver: Driver, logits: list[int]) -> list[int]:
    """Parts per million as the C core has them."""
    data = struct.pack(f"<{len(logits)}i", *logits)
    answer = driver.call(core_driver.SCORES, data=data, output=len(data))
    return list(struct.unpack(f"<{len(logits)}I", answer))


@CASES
@given(st.lists(st.integers(-(2**31), 2**31 - 1), min_size=1, max_size=64))
def test_scores_of_any_logits(driver: Driver, logits: list[int]) -> None:
    assert scores(driver, logits) == softmax_ppm(logits)


@CASES
@given(st.lists(st.integers(-(2**21), 2**21), min_size=2, max_size=12))
def test_scores_of_close_logits(driver: Driver, logits: list[int]) -> None:
    assert scores(driver, logits) == softmax_ppm(logits)


@CASES
@given(data=st.binary(max_size=200), cut=st.integers(0, 200))
def test_crc32_in_two_parts(driver: Driver, data: bytes, cut: int) -> None:
    first = struct.pack("<I", min(cut, len(data)))
    answer = driver.call(core_driver.CRC, arguments=first, data=data, output=4)
    assert struct.unpack("<I", answer)[0] == binascii.crc32(data)


def test_a_byte_too_many_is_seen(driver_program: Path) -> None:
    """The driver detects what it should; without this the tests above could pass on anything."""
    own = Driver(driver_program)
    with pytest.raises(AssertionError, match="AddressSanitizer"):
        own.call(core_driver.CRC, arguments=struct.pack("<I", 9), data=bytes(8), output=4)
