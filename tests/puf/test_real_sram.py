"""Read-outs of real boards: what is accepted opens with no guess, and with every later power-up."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest
from sketches import c_sketch, python_sketch

from rbnn.bench.fingerprint import guesses, read_boards, windows
from rbnn.keys import pattern as patterns
from rbnn.spec import puf
from rbnn.spec.status import Status


@pytest.fixture(scope="module")
def boards() -> dict[str, list[bytes]]:
    data = os.environ.get("RBNN_DATA")
    file = Path(data or "") / "sram" / "xmc.npz"
    if data is None or not file.is_file():
        pytest.skip("no read-outs of real SRAM: RBNN_DATA names no folder with sram/xmc.npz")
    return read_boards(file)


def window(reading: bytes, start: int) -> bytes:
    return reading[start : start + puf.PATTERN_BYTES]


def test_no_guess_opens_an_accepted_window(boards: dict[str, list[bytes]]) -> None:
    sketch = c_sketch()
    accepted: Counter[str] = Counter()
    for board, readings in boards.items():
        for start in windows(readings[0]):
            pattern = window(readings[0], start)
            enrolment = sketch.enroll(pattern)
            if enrolment is None:
                continue
            accepted[board] += 1
            assert patterns.residual_bits(pattern) >= 128
            others = [window(held[0], start) for name, held in boards.items() if name != board]
            for guess in guesses(pattern, others):
                assert sketch.reproduce(guess, enrolment.helper_record) is None
    assert {"board0004", "board000B", "board0035"} <= {
        board for board, count in accepted.items() if count == len(windows(boards[board][0]))
    }


def test_every_later_power_up_gives_the_key(boards: dict[str, list[bytes]]) -> None:
    sketch = c_sketch()
    for readings in boards.values():
        for number, reading in enumerate(readings):
            for start in windows(reading):
                enrolment = sketch.enroll(window(reading, start))
                if enrolment is None:
                    continue
                for again in readings[:number] + readings[number + 1 :]:
                    key = sketch.reproduce(window(again, start), enrolment.helper_record)
                    assert key == enrolment.root


def test_boards_with_opposite_classes_are_refused(boards: dict[str, list[bytes]]) -> None:
    """Half of their cells are ones, but 17 % of the even words and 83 % of the odd ones."""
    for implementation in (python_sketch(), c_sketch()):
        for board in ("board0083", "board004A"):
            for start in windows(boards[board][0]):
                pattern = window(boards[board][0], start)
                assert implementation.examine(pattern) is Status.PUF_BIAS
