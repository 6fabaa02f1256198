"""``rbnn bench fingerprint``: what the secure sketch leaves unknown, and how often it fails.

Exact figures for cells of every bias, and measurements on read-outs of real SRAM: which windows
enrolment accepts, what their min-entropy is estimated to be, whether later power-ups give the key,
and whether a guess does.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rbnn.bench.fingerprint.masks import MaskRow, measure_masks
from rbnn.bench.fingerprint.readouts import read_boards, windows
from rbnn.frozen import Frozen
from rbnn.keys import pattern as patterns
from rbnn.keys import puf as sketch
from rbnn.keys.errors import FingerprintError
from rbnn.spec import puf
from rbnn.spec.status import Status

BIASES = (50, 52, 54, 56, 58, 60, 62, 64, 65)
MADE_DEVICES = 20
LONGEST_PERIOD = 64
_OLD_GROUP, _OLD_GROUPS, _OLD_CHECKS = 11, 1020, 272


class BiasRow(Frozen):
    """Cells that prefer 1 with one probability."""

    ones: int
    """Percent."""
    kept: float
    """Share of pairs whose cells differ."""
    residual: int
    """Min-entropy of the secret given the helper data, exact."""
    estimate: float
    """The lowest that the estimate gives for made-up devices."""
    old_residual: float
    """Min-entropy that the sketch of version 1 left, average over its helper data."""
    failure_15: float
    failure_20: float


class BoardRow(Frozen):
    """Read-outs of one real board."""

    board: str
    windows: int
    """Windows of 3,072 bytes, over all read-outs."""
    accepted: int
    refused: dict[str, int]
    """Number of windows by status."""
    lowest_estimate: float
    """Bits, over the accepted windows; 0 without one."""
    reproductions: int
    failures: int
    wrong_groups: int
    """Most groups of one power-up with a wrong or balanced vote, of 510."""
    guesses: int
    found: int


class FingerprintFigures(Frozen):
    """All measurements."""

    biases: tuple[BiasRow, ...]
    boards: tuple[BoardRow, ...]
    masks: tuple[MaskRow, ...] = ()


def old_residual(ones: float) -> float:
    """Bits that the sketch of version 1 left, if each cell is 1 with probability ``ones``.

    Its helper data leave two values of a group of 11 bits, one the opposite of the other. The
    best guess is right as often as the sum, over all such pairs, of the larger probability.
    """
    zeros = 1.0 - ones
    right = sum(
        math.comb(_OLD_GROUP, k)
        * max(ones**k * zeros ** (_OLD_GROUP - k), zeros**k * ones ** (_OLD_GROUP - k))
        for k in range(_OLD_GROUP + 1)
    )
    return max(0.0, -_OLD_GROUPS * math.log2(right / 2) - _OLD_CHECKS)


def bias_row(percent: int) -> BiasRow:
    """One row of the table of biases."""
    ones = percent / 100
    kept = 2 * ones * (1 - ones)
    rng = np.random.default_rng(percent)
    estimates = []
    for _ in range(MADE_DEVICES):
        cells = (rng.random(8 * puf.PATTERN_BYTES) < ones).astype(np.uint8)
        made = np.packbits(cells, bitorder="little").tobytes()
        if patterns.examine(made)[0] is Status.OK:
            estimates.append(patterns.residual_bits(made))
    return BiasRow(
        ones=percent,
        kept=kept,
        residual=puf.BLOCKS * puf.BCH_DIMENSION,
        estimate=min(estimates, default=0.0),
        old_residual=old_residual(ones),
        failure_15=sketch.failure_probability(0.15, kept),
        failure_20=sketch.failure_probability(0.20, kept),
    )


def guesses(pattern: bytes, others: Sequence[bytes] = ()) -> Iterator[bytes]:
    """What someone without the chip could try: constants and classes, every period up to 64 bytes
    with random content and with the content that fits ``pattern`` best (which an attacker could
    at most hope for), and the majority of other boards.

    Args:
        pattern: what is to be guessed.
        others: the same window of other boards.
    """
    rng = np.random.default_rng(len(pattern))
    for word in ("00", "ff", "55", "aa", "00000000ffffffff", "ffffffff00000000", "0f", "00ff"):
        yield _repeat(bytes.fromhex(word))
    yield bytes(len(pattern) // 2) + b"\xff" * (len(pattern) - len(pattern) // 2)
    for period in range(1, LONGEST_PERIOD + 1):
        yield _repeat(rng.bytes(period))
        yield _repeat(_best_period(patterns.bits_of(pattern), 8 * period))
    if others:
        mean = np.mean([patterns.bits_of(other) for other in others], axis=0)
        yield np.packbits(mean > 0.5, bitorder="little").tobytes()
        yield from others


def _repeat(block: bytes) -> bytes:
    return (block * (puf.PATTERN_BYTES // len(block) + 1))[: puf.PATTERN_BYTES]


def _best_period(cells: npt.NDArray[np.uint8], period: int) -> bytes:
    """The block of ``period`` bits that agrees with most cells if it is repeated."""
    place = np.arange(cells.size) % period
    ones = np.bincount(place, weights=cells, minlength=period)
    count = np.bincount(place, minlength=period)
    return np.packbits(2 * ones > count, bitorder="little").tobytes()


def _opens(pattern: bytes, record: bytes, root: object) -> bool:
    try:
        return sketch.reproduce(pattern, record) == root
    except FingerprintError:
        return False


def measure_board(board: str, boards: dict[str, list[bytes]]) -> BoardRow:
    """Enrol every window of every read-out of a board, and try to get its key again.

    Args:
        board: its name.
        boards: the read-outs of all boards; those of others serve as guesses.
    """
    statuses: Counter[Status] = Counter()
    lowest, reproductions, failures, wrong, tried, found = math.inf, 0, 0, 0, 0, 0
    readings = boards[board]
    for number, reading in enumerate(readings):
        for start in windows(reading):
            place = slice(start, start + puf.PATTERN_BYTES)
            pattern = reading[place]
            status, _ = patterns.examine(pattern)
            statuses[status] += 1
            if status is not Status.OK:
                continue
            lowest = min(lowest, patterns.residual_bits(pattern))
            made = sketch.enroll(pattern)
            for later, again in enumerate(readings):
                if later != number:
                    reproductions += 1
                    failures += not _opens(again[place], made.helper_record, made.root)
                    wrong = max(wrong, _wrong_groups(pattern, again[place]))
            others = [held[0][place] for name, held in boards.items() if name != board]
            for guess in guesses(pattern, others):
                tried += 1
                found += _opens(guess, made.helper_record, made.root)
    accepted = statuses.pop(Status.OK, 0)
    return BoardRow(
        board=board,
        windows=accepted + statuses.total(),
        accepted=accepted,
        refused={one.name.lower().replace("_", "-"): count for one, count in statuses.items()},
        lowest_estimate=lowest if accepted else 0.0,
        reproductions=reproductions,
        failures=failures,
        wrong_groups=wrong,
        guesses=tried,
        found=found,
    )


def _wrong_groups(pattern: bytes, again: bytes) -> int:
    enrolled, read = patterns.pairs(pattern), patterns.pairs(again)
    right = np.where(read.first == enrolled.first, 1, -1)
    return int(((enrolled.kept * read.kept * right).sum(axis=1) <= 0).sum())


def measure(file: Path | None) -> FingerprintFigures:
    """All figures.

    Args:
        file: read-outs of real boards, or None for none.

    Raises:
        RbnnError: the file cannot be read.
    """
    boards = read_boards(file) if file else {}
    return FingerprintFigures(
        biases=tuple(map(bias_row, BIASES)),
        boards=tuple(measure_board(board, boards) for board in boards),
        masks=measure_masks(boards),
    )
