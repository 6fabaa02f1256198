"""Parameters of the SRAM-PUF secure sketch.

Von Neumann pairs, inner repetition code over the pairs of a group, outer BCH(255, 187, t = 9), 2
blocks. Bit ``i`` of a byte string is bit ``i % 8`` of byte ``i // 8``.

The pattern is 24 rows of 128 bytes. Byte ``q`` of the pairs (0..1529) pairs byte
``a = 128 (q // 64) + q % 64`` of the pattern with byte ``a + 64``, bit by bit: both cells of a pair
have the same bit position and the same place in 64 bytes. A pair is *kept* if its cells differ;
its value is the first cell. Group ``g`` (0..509) is the 24 pairs of bytes ``3 g .. 3 g + 2``; its
bit is the value of its first kept pair, or 0 if it has none.

The helper data are 1,530 bytes that mark the kept pairs, 1,530 bytes that hold ``value xor bit of
the group`` of each kept pair (zero elsewhere), and for each block of 255 groups the 68 coefficients
(constant term first) of ``b(x) mod g(x)``, where ``b(x)`` has the bits of the block's groups as
coefficients, lowest group first. The secret is the 510 bits of the groups.

Exchanging the two cells of every pair of a group changes nothing in the helper data but the bit of
that group. So if the cells of a pair are exchangeable, helper data, of one enrolment or of several,
leave all 2 * 187 bits (docs/security.md).

Source: Maes et al., "Secure Key Generation from Biased PUFs", CHES 2015, section 3 (von Neumann
pairs, with erasures so that the place of a pair does not depend on the others); Dodis et al.,
"Fuzzy Extractors", SIAM J. Comput. 38(1), 2008, section 5 (syndrome construction); Boyen et al.,
EUROCRYPT 2005 (robust sketches); Lin and Costello, "Error Control Coding", chapter 6 (BCH).
"""

from __future__ import annotations

BCH_LENGTH = 255
BCH_DIMENSION = 187
BCH_ERRORS = 9
BCH_CHECKS = BCH_LENGTH - BCH_DIMENSION
BLOCKS = 2
FIELD_POLYNOMIAL = 0x11D
"""GF(256) modulo x^8 + x^4 + x^3 + x^2 + 1; alpha = x is primitive."""

GROUPS = BLOCKS * BCH_LENGTH
GROUP_BYTES = 3
PAIR_DISTANCE = 64
"""Bytes from the first cell of a pair to the second: no guess whose period divides it says
anything about a pair."""
PAIR_BYTES = GROUPS * GROUP_BYTES
PATTERN_BYTES = 2 * PAIR_DISTANCE * -(-PAIR_BYTES // PAIR_DISTANCE)
SECRET_BYTES = -(-GROUPS // 8)
CHECK_BYTES = BLOCKS * BCH_CHECKS // 8
HELPER_BYTES = 2 * PAIR_BYTES + CHECK_BYTES
TAG_BYTES = 32

SILENT_MAX = 51
"""Groups without a vote that reproduction accepts, so that changed helper data cannot silence the
pattern."""

# What enrolment refuses (rbnn.keys.pattern, firmware/puf/pattern.c).
REGION_BYTES = 256
CLASS_MIN_PERCENT = 33
CLASS_MAX_PERCENT = 67
"""Share of ones of all cells, of even and of odd words."""
PLACE_MIN_PERCENT = 20
PLACE_MAX_PERCENT = 80
"""Share of ones of a region, of each word in 64 bytes, and at each bit position of even and of odd
words."""
PAINTED_PERCENT = 90
"""A region agrees (or disagrees) so often with what follows at some distance: it was written."""
REPEATED_PERCENT = 70
"""As above: it repeats too much to be a fingerprint."""
KEPT_MIN_PERCENT = 38
"""Share of pairs whose cells differ; fewer would make the key unreliable."""
GUESSED_MAX_PERCENT = 62
"""Share of group bits that a predictor guesses: 153 bits of min-entropy remain (MCV, 99 %)."""
ESTIMATE_LAGS = 32
"""The estimate predicts a group's bit from the one so many groups before, 1 .. 32."""
ESTIMATE_SIGNS = 10
"""The estimate predicts that first cells prefer one value: all, or with the sign of one of the nine
bits of the pair's place in 64 bytes."""


def _multiply(a: int, b: int) -> int:
    product = 0
    while b:
        if b & 1:
            product ^= a
        a <<= 1
        if a & 0x100:
            a ^= FIELD_POLYNOMIAL
        b >>= 1
    return product


def generator_polynomial() -> int:
    """g(x) of BCH(255, 187, t = 9) as an integer whose bit ``i`` is the coefficient of x^i.

    It is the least common multiple of the minimal polynomials of alpha^1 .. alpha^18.
    """
    powers = [1]
    for _ in range(BCH_LENGTH - 1):
        powers.append(_multiply(powers[-1], 2))
    roots = {(power << shift) % BCH_LENGTH for power in range(1, 19) for shift in range(8)}
    coefficients = [1]
    for root in sorted(roots):
        shifted = [0, *coefficients]
        scaled = [_multiply(powers[root], c) for c in coefficients] + [0]
        coefficients = [a ^ b for a, b in zip(shifted, scaled, strict=True)]
    return sum(c << i for i, c in enumerate(coefficients))
