"""Read-outs of real boards: what is accepted opens with no guess, and with every later power-up."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
from sketches import Sketch, c_sketch, python_sketch
from trust_rows import Trust, trust_row

from rbnn.bench.fingerprint.measure import guesses
from rbnn.bench.fingerprint.readouts import read_boards, windows
from rbnn.keys import pattern as patterns
from rbnn.keys.puf import SketchEnrolment
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


@dataclass(frozen=True)
class Accepted:
    """A window that enrolment accepts: its board, which power-up, its place."""

    board: str
    number: int
    start: int
    pattern: bytes


@pytest.fixture(scope="module")
def every_window(boards: dict[str, list[bytes]]) -> list[Accepted]:
    """All of them, of all power-ups."""
    examine = c_sketch().examine
    return [
        Accepted(board, number, start, window(reading, start))
        for board, readings in boards.items()
        for number, reading in enumerate(readings)
        for start in windows(reading)
        if examine(window(reading, start)) is Status.OK
    ]


@pytest.fixture
def accepted(every_window: list[Accepted], trust: Trust) -> list[Accepted]:
    """Those to try: all, or a few."""
    return every_window[:: trust.amount(quick=23, full=1)]


def enrolled(sketch: Sketch, pattern: bytes) -> SketchEnrolment:
    enrolment = sketch.enroll(pattern)
    assert enrolment is not None
    return enrolment


@trust_row(
    "fingerprint-guesses",
    "Guesses against each accepted window of the read-outs of real boards, in the firmware's C: "
    "constants, classes, every period up to 64 bytes (random, and fitted to the window), the other "
    "boards and their majority",
    "0 root keys",
)
def test_no_guess_opens_an_accepted_window(
    boards: dict[str, list[bytes]], accepted: list[Accepted], trust: Trust
) -> None:
    sketch, tried, found = c_sketch(), 0, 0
    for one in accepted:
        record = enrolled(sketch, one.pattern).helper_record
        others = [window(held[0], one.start) for name, held in boards.items() if name != one.board]
        keys = [sketch.reproduce(guess, record) for guess in guesses(one.pattern, others)]
        tried += len(keys)
        found += len(keys) - keys.count(None)
    trust.measured(f"{found} root keys, of {len(accepted)} windows", tried)
    assert found == 0
    assert tried > 140 * len(accepted) > 0


@trust_row(
    "fingerprint-entropy",
    "Min-entropy that the helper data leave, by the estimate of rbnn.keys.pattern, for each "
    "accepted window of the read-outs of real boards",
    "at least 128 bits",
)
def test_every_accepted_window_leaves_128_bits(accepted: list[Accepted], trust: Trust) -> None:
    bits = [patterns.residual_bits(one.pattern) for one in accepted]
    trust.measured(f"smallest {min(bits):.1f} bits", len(bits))
    assert min(bits) >= 128


@trust_row(
    "fingerprint-real-power-ups",
    "Each accepted window of the read-outs of real boards enrolled, and the key asked for with "
    "every other power-up of the board, in the firmware's C",
    "0 failures",
)
def test_every_later_power_up_gives_the_key(
    boards: dict[str, list[bytes]], accepted: list[Accepted], trust: Trust
) -> None:
    sketch, tried, failed = c_sketch(), 0, 0
    for one in accepted:
        enrolment = enrolled(sketch, one.pattern)
        for number, again in enumerate(boards[one.board]):
            if number != one.number:
                tried += 1
                key = sketch.reproduce(window(again, one.start), enrolment.helper_record)
                failed += key != enrolment.root
    trust.measured(f"{failed} failures", tried)
    assert failed == 0 and tried > 0


def test_boards_that_are_not_biased_are_accepted_everywhere(
    boards: dict[str, list[bytes]], every_window: list[Accepted]
) -> None:
    count = Counter(one.board for one in every_window)
    for board in ("board0004", "board000B", "board0035"):
        assert count[board] == sum(len(windows(reading)) for reading in boards[board])


def test_boards_with_opposite_classes_are_refused(boards: dict[str, list[bytes]]) -> None:
    """Half of their cells are ones, but 17 % of the even words and 83 % of the odd ones."""
    for implementation in (python_sketch(), c_sketch()):
        for board in ("board0083", "board004A"):
            for start in windows(boards[board][0]):
                pattern = window(boards[board][0], start)
                assert implementation.examine(pattern) is Status.PUF_BIAS
