"""The robust secure sketch on the host: the model that the firmware is tested against.

A device makes its helper data itself (``firmware/puf/sketch.c``); nothing here is needed to use
one. ``rbnn.spec.puf`` defines the layout of the helper data.
"""

from __future__ import annotations

import hmac
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rbnn.keys import bch
from rbnn.keys import pattern as patterns
from rbnn.keys.errors import FingerprintError
from rbnn.keys.secret import Secret
from rbnn.spec import kdf, layout, puf

Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class SketchEnrolment:
    """What enrolment yields: the public helper record (3,117 bytes) and the root key."""

    helper_record: bytes
    root: Secret


def _header() -> bytes:
    return layout.HELPER_HEADER.pack(
        {
            "magic": layout.HELPER_MAGIC,
            "version": layout.PROVISIONING_VERSION,
            "helper_bytes": puf.HELPER_BYTES,
        }
    )


def _derive(secret: Bytes, header_and_helper: bytes) -> tuple[bytes, Secret]:
    """Tag and root key from the exact bits of the groups at enrolment."""
    bits = np.packbits(secret, bitorder="little").tobytes()
    seed = kdf.derive(bytes(kdf.KEY_BYTES), kdf.Label.PUF_SEED, bits)
    tag = kdf.derive(seed, kdf.Label.PUF_TAG, header_and_helper)
    return tag, Secret(kdf.derive(seed, kdf.Label.ROOT))


def enroll(pattern: bytes) -> SketchEnrolment:
    """Make the helper record and the root key from a power-up pattern.

    Args:
        pattern: 3,072 bytes.

    Raises:
        FingerprintError: it is no fingerprint (:func:`rbnn.keys.pattern.check`).
    """
    held = patterns.pairs(pattern)
    patterns.check(pattern)
    kept = held.kept
    rows = np.arange(puf.GROUPS)
    # argmax finds the first kept pair; a group without one has the bit 0.
    secret = held.first[rows, kept.argmax(axis=1)] & kept.max(axis=1)
    values = kept & (held.first ^ secret[:, np.newaxis])
    checks = [bch.remainder(block) for block in secret.reshape(puf.BLOCKS, puf.BCH_LENGTH)]
    helper = np.concatenate([kept.reshape(-1), values.reshape(-1), *checks])
    head = _header() + np.packbits(helper, bitorder="little").tobytes()
    tag, root = _derive(secret, head)
    return SketchEnrolment(head + tag, root)


def reproduce(pattern: bytes, helper_record: bytes) -> Secret:
    """Correct a noisy pattern with its helper record.

    A kept pair votes for its group's bit if its cells still differ. A group whose votes balance is
    silent and has the bit 0 before the outer code corrects it.

    Args:
        pattern: 3,072 bytes of a later power-up.
        helper_record: 3,117 bytes from :func:`enroll`.

    Returns:
        The root key of enrolment.

    Raises:
        FingerprintError: too many errors, another device, or a changed helper record; does not say
            which.
    """
    refusal = FingerprintError(
        "Helper data and SRAM pattern do not belong together or were changed.",
        "Power-cycle the device; if that does not help, flash its provisioning again.",
    )
    if len(helper_record) != layout.HELPER_RECORD_BYTES:
        raise refusal
    head, tag = helper_record[: -puf.TAG_BYTES], helper_record[-puf.TAG_BYTES :]
    helper = patterns.bits_of(head[layout.HELPER_HEADER.size :])
    kept, values, checks = np.split(helper, [8 * puf.PAIR_BYTES, 16 * puf.PAIR_BYTES])
    held = patterns.pairs(pattern)
    voting = kept.reshape(held.first.shape) & held.kept
    ones = held.first ^ values.reshape(held.first.shape)
    votes = (voting * (2 * ones.astype(np.int64) - 1)).sum(axis=1)
    silent = int((votes == 0).sum())
    voted = (votes > 0).astype(np.uint8).reshape(puf.BLOCKS, puf.BCH_LENGTH)
    secret = np.concatenate(
        [
            bch.correct(block, bch.remainder(block) ^ check)
            for block, check in zip(voted, checks.reshape(puf.BLOCKS, -1), strict=True)
        ]
    )
    expected, root = _derive(secret, head)
    matches = hmac.compare_digest(expected, tag) and head.startswith(_header())
    if not matches or silent > puf.SILENT_MAX:
        raise refusal
    return root


def group_error(bit_error_rate: float, kept: int | float) -> tuple[float, float]:
    """Probability that a group's vote is wrong, and that it is silent (counted half in the first).

    Args:
        bit_error_rate: share of bits that differ from enrolment, independently, 0..0.5.
        kept: how many pairs vote; or, as a share, how likely each of the 24 pairs was kept.
    """
    good, bad = (1 - bit_error_rate) ** 2, bit_error_rate**2
    count, share = (kept, 1.0) if isinstance(kept, int) else (8 * puf.GROUP_BYTES, kept)
    one = np.array([share * bad, 1 - share * (good + bad), share * good])
    total = np.ones(1)
    for _ in range(count):
        total = np.convolve(total, one)
    silent = float(total[count])
    return float(total[:count].sum()) + silent / 2, silent


def _more_than(limit: int, count: int, probability: float) -> float:
    """Probability that more than ``limit`` of ``count`` independent events happen."""
    return math.fsum(
        math.comb(count, n) * probability**n * (1 - probability) ** (count - n)
        for n in range(limit + 1, count + 1)
    )


def failure_probability(bit_error_rate: float, kept: float = 0.5) -> float:
    """Probability that a power-up does not reproduce the key: exact binomials.

    Args:
        bit_error_rate: share of bits that differ from enrolment, independently, 0..0.5.
        kept: share of pairs that enrolment kept, each independently; 0.5 for unbiased cells.

    Returns:
        Probability that one of 2 blocks has more than 9 of 255 groups with a wrong vote, or that
        more than 51 groups are silent (an upper bound: the sum of both).
    """
    wrong, silent = group_error(bit_error_rate, kept)
    block = _more_than(puf.BCH_ERRORS, puf.BCH_LENGTH, wrong)
    blocks = -math.expm1(puf.BLOCKS * math.log1p(-block)) if block < 1.0 else 1.0
    return min(1.0, blocks + _more_than(puf.SILENT_MAX, puf.GROUPS, silent))
