"""Would several power-ups at enrolment help? Unstable pairs left out, on read-outs of real SRAM.

Enrolment could read the pattern at several power-ups and leave out the pairs that they do not
agree on: fewer votes are lost later, but groups have fewer pairs. Measured here on the last
power-up of each board, which no enrolment has seen, as it is and with errors added. Not built: see
decision 22.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from rbnn.bench.fingerprint.readouts import windows
from rbnn.frozen import Frozen
from rbnn.keys import pattern as patterns
from rbnn.spec import puf
from rbnn.spec.status import Status

ADDED_ERRORS = (0, 10, 15)
"""Percent of the last power-up's bits that are flipped, independently."""
READINGS = 5
"""Power-ups at enrolment."""


class MaskFigures(Frozen):
    """One way to enrol, over all windows."""

    pairs: float
    """Kept pairs of a group, on average."""
    lost: float
    """Share of kept pairs that do not vote for their group's bit."""
    wrong: int
    """Groups with a wrong vote."""
    silent: int
    """Groups whose votes balance."""


class MaskRow(Frozen):
    """One rate of added errors."""

    added: int
    windows: int
    once: MaskFigures
    masked: MaskFigures


def _enrolments(
    boards: dict[str, list[bytes]],
) -> Iterator[tuple[bytes, patterns.Pairs, patterns.Bits]]:
    """Each accepted window: the last power-up, the pairs of the first, and which are stable."""
    for readings in boards.values():
        if len(readings) <= READINGS:
            continue
        for start in windows(readings[0]):
            place = slice(start, start + puf.PATTERN_BYTES)
            first, *others = [reading[place] for reading in readings[:READINGS]]
            if patterns.examine(first)[0] is not Status.OK:
                continue
            enrolled = patterns.pairs(first)
            stable = enrolled.kept
            for other in map(patterns.pairs, others):
                stable = stable * other.kept * (other.first == enrolled.first)
            yield readings[READINGS][place], enrolled, stable


def _with_errors(pattern: bytes, percent: int, random: np.random.Generator) -> bytes:
    bits = patterns.bits_of(pattern)
    flips = (random.random(bits.size) < percent / 100).astype(np.uint8)
    return np.packbits(bits ^ flips, bitorder="little").tobytes()


Votes = list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]
"""Of each window: which pairs are kept, and their votes, negative against the group's bit."""


def _figures(votes: Votes) -> MaskFigures:
    pairs = np.concatenate([one for one, _ in votes], axis=0)
    cast = np.concatenate([one for _, one in votes], axis=0)
    lead = cast.sum(axis=1)
    return MaskFigures(
        pairs=float(pairs.sum() / len(pairs)),
        lost=float(1 - (cast > 0).sum() / pairs.sum()),
        wrong=int((lead < 0).sum()),
        silent=int((lead == 0).sum()),
    )


def measure_masks(boards: dict[str, list[bytes]]) -> tuple[MaskRow, ...]:
    """A row for each rate of added errors; none without a board of more than 5 power-ups."""
    enrolments = list(_enrolments(boards))
    if not enrolments:
        return ()
    rows = []
    for percent in ADDED_ERRORS:
        random = np.random.default_rng(1)
        once: Votes = []
        masked: Votes = []
        for last, enrolled, stable in enrolments:
            read = patterns.pairs(_with_errors(last, percent, random))
            right = np.where(read.first == enrolled.first, 1, -1) * read.kept.astype(np.int64)
            for votes, kept in ((once, enrolled.kept), (masked, stable)):
                counted = kept.astype(np.int64)
                votes.append((counted, counted * right))
        rows.append(
            MaskRow(
                added=percent,
                windows=len(enrolments),
                once=_figures(once),
                masked=_figures(masked),
            )
        )
    return tuple(rows)
