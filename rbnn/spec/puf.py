"""Parameters of the SRAM-PUF secure sketch.

Syndrome construction: inner repetition code of length 11, outer BCH(255, 187, t = 9), 4 blocks.
The pattern ``w`` is 4 * 255 * 11 = 11,220 bits, bit ``i`` being bit ``i % 8`` of byte ``i // 8``.
Group ``g`` (0..1019) is bits ``11 g .. 11 g + 10``. The helper data are, as one little-endian bit
string: for each group the 10 bits ``w[11 g + j] xor w[11 g]``, j = 1..10; then for each block of
255 groups the 68 coefficients (constant term first) of ``b(x) mod g(x)``, where ``b(x)`` has the
block's first bits ``w[11 g]`` as coefficients, lowest group first.

Source: Dodis et al., "Fuzzy Extractors", SIAM J. Comput. 38(1), 2008, section 5 (syndrome
construction); Boyen et al., EUROCRYPT 2005 (robust sketches); Lin and Costello, "Error Control
Coding", chapter 6 (BCH).
"""

from __future__ import annotations

REPETITION = 11
BCH_LENGTH = 255
BCH_DIMENSION = 187
BCH_ERRORS = 9
BCH_CHECKS = BCH_LENGTH - BCH_DIMENSION
BLOCKS = 4
FIELD_POLYNOMIAL = 0x11D
"""GF(256) modulo x^8 + x^4 + x^3 + x^2 + 1; alpha = x is primitive."""

GROUPS = BLOCKS * BCH_LENGTH
PATTERN_BITS = GROUPS * REPETITION
PATTERN_BYTES = -(-PATTERN_BITS // 8)
HELPER_BITS = GROUPS * (REPETITION - 1) + BLOCKS * BCH_CHECKS
HELPER_BYTES = HELPER_BITS // 8
TAG_BYTES = 32
ONES_MIN_PERCENT = 42
ONES_MAX_PERCENT = 58


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
