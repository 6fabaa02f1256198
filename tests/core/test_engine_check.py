"""``rbnn_engine_check`` on broken parameters: a status, never a fault."""

from __future__ import annotations

import random
import struct
from typing import Any

import pytest
from broken_containers import CASES, NOT_RUN, member_offset, open_it
from core_driver import Driver
from hypothesis import given
from hypothesis import strategies as st

from rbnn.spec.layout import PARAMS_HEADER
from rbnn.spec.status import Status


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("classes", 0), ("classes", 9), ("adapter", 2), ("input_channels", 1),
        ("input_channels", 4), ("labels_offset", 0), ("labels_offset", 0xFFFFFFFF),
        ("labels_bytes", 0), ("labels_bytes", 0xFFFFFFFF), ("labels_bytes", 5),
    ],
)  # fmt: skip
def test_params_header_members(
    driver: Driver, container: bytes, params: bytes, name: str, value: int
) -> None:
    offset, code = member_offset(PARAMS_HEADER, name)
    data = bytearray(params)
    struct.pack_into(code, data, offset, value)
    assert open_it(driver, container, bytes(data))[2:] == (Status.SEALED_BLOCK, NOT_RUN)


@pytest.mark.parametrize("offset", [-1, 256, -32768, 32767])
def test_input_offsets_beyond_a_pixel_are_refused(
    driver: Driver, container: bytes, params: bytes, offset: int
) -> None:
    data = bytearray(params)
    struct.pack_into("<h", data, member_offset(PARAMS_HEADER, "offsets")[0], offset)
    assert open_it(driver, container, bytes(data))[2] == Status.SEALED_BLOCK


@CASES
@given(seed=st.integers(0, 2**32 - 1))
def test_random_params_never_fault(
    driver: Driver, container: bytes, params: bytes, seed: int
) -> None:
    random_source = random.Random(seed)
    data = bytearray(params[: random_source.randrange(len(params) + 1)])
    for _ in range(random_source.randrange(8)):
        if data:
            data[random_source.randrange(len(data))] = random_source.randrange(256)
    _, _, check, infer = open_it(driver, container, bytes(data))
    assert infer == (Status.OK if check == Status.OK else NOT_RUN)


@pytest.mark.parametrize(("offset", "value"), [(0, 17), (0, 0xFFFF), (2, 1)])
def test_shifts_that_no_stage_supports_are_refused(
    driver: Driver, made: Any, params: bytes, offset: int, value: int
) -> None:
    whole = made.export.container
    data = bytearray(params)
    struct.pack_into("<H", data, whole.plan.placements[3].params_offset + offset, value)
    assert open_it(driver, whole.data, bytes(data))[2] == Status.SEALED_BLOCK


def test_params_of_another_task_fail(driver: Driver, container: bytes, params: bytes) -> None:
    assert open_it(driver, container, params, task=1)[2] == Status.SEALED_BLOCK
    assert open_it(driver, container, params, task=2)[2] == Status.ARGUMENT
