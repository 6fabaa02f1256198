"""Whether a power-up pattern can be a fingerprint: what enrolment refuses, on host and device.

``firmware/puf/pattern.c`` decides the same in integers. Limits: ``rbnn.spec.puf``.

Sources: NIST SP 800-90B, sections 6.3.1 (most common value) and 6.3.8 (prediction from what came
some places before); Maes et al., "Secure Key Generation from Biased PUFs", CHES 2015.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rbnn.keys.errors import FingerprintError
from rbnn.spec import puf
from rbnn.spec.status import Status

Bits = npt.NDArray[np.uint8]

_REGION_BITS = 8 * puf.REGION_BYTES
_ROW_BITS = 8 * puf.PAIR_DISTANCE
_Z_99 = 2.576
_ANOTHER = (
    "Move the fingerprint to other SRAM (noinit in boards/NAME/board.json and memory.ld), or "
    "use another chip: docs/security.md, Fingerprint."
)


@dataclass(frozen=True)
class Pairs:
    """A pattern's cells in pairs, by group: uint8, shape (510, 24)."""

    first: Bits
    second: Bits

    @property
    def kept(self) -> Bits:
        """1 where the cells of a pair differ."""
        return self.first ^ self.second


def bits_of(data: bytes) -> Bits:
    """Bits of a byte string, lowest first."""
    return np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little")


def pairs(pattern: bytes) -> Pairs:
    """The pairs of a pattern.

    Args:
        pattern: 3,072 bytes.

    Raises:
        ValueError: another size.
    """
    if len(pattern) != puf.PATTERN_BYTES:
        raise ValueError(f"A pattern has {puf.PATTERN_BYTES} bytes. Received: {len(pattern)}")
    rows = bits_of(pattern).reshape(-1, 2, _ROW_BITS)

    def groups(cells: Bits) -> Bits:
        return cells.reshape(-1)[: 8 * puf.PAIR_BYTES].reshape(puf.GROUPS, 8 * puf.GROUP_BYTES)

    return Pairs(groups(rows[:, 0]), groups(rows[:, 1]))


def check(pattern: bytes) -> None:
    """Refuse a pattern that is no fingerprint, as enrolment does.

    Args:
        pattern: 3,072 bytes.

    Raises:
        FingerprintError: why.
    """
    status, detail = examine(pattern)
    if status is Status.PUF_PATTERN:
        raise FingerprintError(
            f"The pattern is constant or repeats: {detail}.",
            "A fingerprint is the content of SRAM at power-on, before anything writes to it.",
        )
    if status is Status.PUF_BIAS:
        raise FingerprintError(f"Too many cells of one class are equal: {detail}.", _ANOTHER)
    if status is Status.PUF_ENTROPY:
        raise FingerprintError(f"The pattern is too predictable: {detail}.", _ANOTHER)


def examine(pattern: bytes) -> tuple[Status, str]:
    """What enrolment answers to a pattern, and why.

    Args:
        pattern: 3,072 bytes.
    """
    cells = bits_of(pattern)
    repeated, lag = _strongest_repetition(cells)
    said = f"{repeated:.1f} % of the bits of a region follow from those {lag} bits further on"
    if repeated > puf.PAINTED_PERCENT:
        return Status.PUF_PATTERN, said
    found = _biased_class(cells)
    if found:
        return Status.PUF_BIAS, found
    if repeated > puf.REPEATED_PERCENT:
        return Status.PUF_PATTERN, said
    held = pairs(pattern)
    kept = int(held.kept.sum())
    if 100 * kept < puf.KEPT_MIN_PERCENT * 8 * puf.PAIR_BYTES:
        return Status.PUF_BIAS, f"only {kept / (8 * puf.PAIR_BYTES):.1%} of all pairs differ"
    for name, right, count in predictions(held):
        if 100 * right > puf.GUESSED_MAX_PERCENT * count:
            return Status.PUF_ENTROPY, f"{name} predicts {right} of {count} bits"
    return Status.OK, "ok"


def _strongest_repetition(cells: Bits) -> tuple[float, int]:
    """Highest share, in percent, of a region's bits that equal, or that differ from, those at one
    distance; and the distance in bits.

    Distances: 1 .. 512 bits, then whole bytes up to the end of the pattern.
    """
    most, where = 0, 0
    wide = range(8 * (puf.PAIR_DISTANCE + 1), cells.size - _REGION_BITS + 1, 8)
    for lag in [*range(1, 8 * puf.PAIR_DISTANCE + 1), *wide]:
        regions = (cells.size - lag) // _REGION_BITS
        used = regions * _REGION_BITS
        differ = (cells[:used] ^ cells[lag : lag + used]).reshape(regions, -1).sum(axis=1)
        strongest = int(max(differ.max(), _REGION_BITS - differ.min()))
        if strongest > most:
            most, where = strongest, lag
    return 100 * most / _REGION_BITS, where


def _biased_class(cells: Bits) -> str:
    """The first class whose share of ones is outside its limits, or nothing."""
    words = cells.reshape(-1, _ROW_BITS // 32, 32).sum(axis=(0, 2))
    wide = [("all cells", int(cells.sum()), cells.size)]
    wide += [
        (f"{name} words", int(words[start::2].sum()), cells.size // 2)
        for start, name in enumerate(("even", "odd"))
    ]
    narrow = [
        (f"word {i} of 16", int(count), cells.size // words.size) for i, count in enumerate(words)
    ]
    narrow += [
        (f"the {puf.REGION_BYTES} bytes from {i * puf.REGION_BYTES} on", int(count), _REGION_BITS)
        for i, count in enumerate(cells.reshape(-1, _REGION_BITS).sum(axis=1))
    ]
    narrow += [
        (f"bit {i % 32} of {('even', 'odd')[i // 32]} words", int(count), cells.size // 64)
        for i, count in enumerate(cells.reshape(-1, 64).sum(axis=0))
    ]
    limited = [(one, puf.CLASS_MIN_PERCENT, puf.CLASS_MAX_PERCENT) for one in wide]
    limited += [(one, puf.PLACE_MIN_PERCENT, puf.PLACE_MAX_PERCENT) for one in narrow]
    for (name, ones, count), low, high in limited:
        if not low * count <= 100 * ones <= high * count:
            return f"{ones / count:.1%} ones in {name}"
    return ""


def predictions(held: Pairs) -> list[tuple[str, int, int]]:
    """How well simple predictors guess the bits of groups, given the helper data.

    Each predictor says which cell of a pair prefers 1, and so which of the two values that the
    helper data leave to a group is more likely: all first cells, or with a sign that depends on one
    bit of the pair's place in 64 bytes (parity of the word, half of the word, parity of the bit
    ...). Others predict a group from the one ``lag`` groups before.

    Returns:
        Of each: name, bits of groups guessed by the better of predictor and its opposite, groups
        that it speaks about.
    """
    value = held.kept * (2 * held.first.astype(np.int64) - 1)
    place = np.arange(value.size).reshape(value.shape) % _ROW_BITS
    found, leaning = [], np.sign(value.sum(axis=1))
    for number in range(puf.ESTIMATE_SIGNS):
        sign = 1 if number == 0 else 1 - 2 * (place >> (number - 1) & 1)
        score = np.sign((value * sign).sum(axis=1))
        name = "the first cell" if number == 0 else f"bit {number - 1} of the place"
        found.append(_better(name, score))
    for lag in range(1, puf.ESTIMATE_LAGS + 1):
        found.append(_better(f"the group {lag} before", leaning[lag:] * leaning[:-lag]))
    return found


def _better(name: str, signs: npt.NDArray[np.int64]) -> tuple[str, int, int]:
    ones, zeros = int((signs > 0).sum()), int((signs < 0).sum())
    return name, max(ones, zeros), ones + zeros


def residual_bits(pattern: bytes) -> float:
    """Min-entropy that the helper data leave to the secret, estimated from the pattern.

    The best of all predictors guesses a share of the groups' bits; the upper end of its 99 %
    confidence interval (SP 800-90B, 6.3.1) gives the min-entropy of a bit. The checks of the outer
    code are subtracted in full. With exchangeable cells the truth is 374 bits for every pattern;
    the difference is what 510 samples cannot tell.

    Args:
        pattern: 3,072 bytes.
    """
    bits = min(
        -math.log2(min(1.0, right / count + _Z_99 * math.sqrt(right * (count - right) / count**3)))
        for _, right, count in predictions(pairs(pattern))
        if count
    )
    return max(0.0, puf.GROUPS * bits - puf.BLOCKS * puf.BCH_CHECKS)
