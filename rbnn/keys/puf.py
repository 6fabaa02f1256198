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
from rbnn.keys.errors import FingerprintError
from rbnn.keys.secret import Secret
from rbnn.spec import kdf, layout, puf

Bytes = npt.NDArray[np.uint8]
_OFFSET_BITS = puf.GROUPS * (puf.REPETITION - 1)


@dataclass(frozen=True)
class SketchEnrolment:
    """What enrolment yields: the public helper record (1,349 bytes) and the root key."""

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


def _groups(pattern: bytes) -> Bytes:
    """Bits of a pattern, shape (1020, 11)."""
    if len(pattern) != puf.PATTERN_BYTES:
        raise ValueError(f"A pattern has {puf.PATTERN_BYTES} bytes. Received: {len(pattern)}")
    bits = np.unpackbits(np.frombuffer(pattern, np.uint8), bitorder="little")
    return bits[: puf.PATTERN_BITS].reshape(puf.GROUPS, puf.REPETITION)


def _derive(groups: Bytes, header_and_helper: bytes) -> tuple[bytes, Secret]:
    """Tag and root key from the exact pattern of enrolment."""
    w = np.packbits(groups.reshape(-1), bitorder="little").tobytes()
    seed = kdf.derive(bytes(kdf.KEY_BYTES), kdf.Label.PUF_SEED, w)
    tag = kdf.derive(seed, kdf.Label.PUF_TAG, header_and_helper)
    return tag, Secret(kdf.derive(seed, kdf.Label.ROOT))


def enroll(pattern: bytes) -> SketchEnrolment:
    """Make the helper record and the root key from a power-up pattern.

    Args:
        pattern: 1,403 bytes; the upper four bits of the last one are ignored.

    Raises:
        FingerprintError: the pattern repeats one 32-bit word, or its share of ones is outside
            42..58 %.
    """
    groups = _groups(pattern)
    ones = 100 * int(groups.sum())
    low = puf.ONES_MIN_PERCENT * puf.PATTERN_BITS
    high = puf.ONES_MAX_PERCENT * puf.PATTERN_BITS
    whole = pattern[: puf.PATTERN_BYTES - 1]
    if whole[4:] == whole[:-4] or not low <= ones <= high:
        raise FingerprintError(
            f"The pattern is constant or biased: {ones / puf.PATTERN_BITS:.1f} % ones.",
            "A fingerprint is the content of SRAM at power-on, before anything writes to it.",
        )
    firsts = groups[:, 0].reshape(puf.BLOCKS, puf.BCH_LENGTH)
    offsets = groups[:, 1:] ^ groups[:, :1]
    checks = [bch.remainder(block) for block in firsts]
    helper = np.packbits(np.concatenate([offsets.reshape(-1), *checks]), bitorder="little")
    head = _header() + helper.tobytes()
    tag, root = _derive(groups, head)
    return SketchEnrolment(head + tag, root)


def reproduce(pattern: bytes, helper_record: bytes) -> Secret:
    """Correct a noisy pattern with its helper record.

    Args:
        pattern: 1,403 bytes of a later power-up.
        helper_record: 1,349 bytes from :func:`enroll`.

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
    raw = np.frombuffer(head, np.uint8)[layout.HELPER_HEADER.size :]
    helper = np.unpackbits(raw, bitorder="little")
    offsets = helper[:_OFFSET_BITS].reshape(puf.GROUPS, puf.REPETITION - 1)
    checks = helper[_OFFSET_BITS:].reshape(puf.BLOCKS, puf.BCH_CHECKS)

    groups = _groups(pattern)
    votes = groups[:, 0] + (groups[:, 1:] ^ offsets).sum(axis=1)
    voted = (votes > puf.REPETITION // 2).astype(np.uint8).reshape(puf.BLOCKS, puf.BCH_LENGTH)
    firsts = np.concatenate(
        [
            bch.correct(block, bch.remainder(block) ^ check)
            for block, check in zip(voted, checks, strict=True)
        ]
    )[:, np.newaxis]
    expected, root = _derive(np.hstack([firsts, firsts ^ offsets]), head)
    if not hmac.compare_digest(expected, tag) or not head.startswith(_header()):
        raise refusal
    return root


def failure_probability(bit_error_rate: float) -> float:
    """Probability that a power-up does not reproduce the key: exact binomials.

    Args:
        bit_error_rate: share of bits that differ from enrolment, independently, 0..0.5.

    Returns:
        Probability that one of 4 blocks has more than 9 of 255 groups with 6 or more of 11 bits
        wrong.
    """
    from scipy.stats import binom

    group = float(binom.sf(puf.REPETITION // 2, puf.REPETITION, bit_error_rate))
    block = float(binom.sf(puf.BCH_ERRORS, puf.BCH_LENGTH, group))
    return -math.expm1(puf.BLOCKS * math.log1p(-block)) if block < 1.0 else 1.0
