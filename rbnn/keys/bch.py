"""The sketch's outer code, binary BCH(255, 187) correcting 9 errors: the host's model.

Written independently of ``firmware/puf/bch.c`` and with other methods (log tables and the classic
Berlekamp-Massey algorithm with inversion), so that each checks the other. Not constant time.

Source: Lin and Costello, "Error Control Coding", chapter 6.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rbnn.spec import puf

Bytes = npt.NDArray[np.uint8]

_EXP = [1]
while len(_EXP) < 2 * puf.BCH_LENGTH:
    doubled = _EXP[-1] << 1
    _EXP.append(doubled ^ puf.FIELD_POLYNOMIAL if doubled & 0x100 else doubled)
_LOG = {value: power for power, value in enumerate(_EXP[: puf.BCH_LENGTH])}
_GENERATOR = puf.generator_polynomial()


def _multiply(a: int, b: int) -> int:
    return _EXP[_LOG[a] + _LOG[b]] if a and b else 0


def _divide(a: int, b: int) -> int:
    return _EXP[_LOG[a] - _LOG[b] + puf.BCH_LENGTH] if a else 0


def remainder(bits: Bytes) -> Bytes:
    """Coefficients of b(x) mod g(x).

    Args:
        bits: 255 bits as uint8; entry ``i`` is the coefficient of x^i.

    Returns:
        68 bits as uint8, constant term first.
    """
    value = sum(int(bit) << i for i, bit in enumerate(bits))
    for position in range(puf.BCH_LENGTH - 1, puf.BCH_CHECKS - 1, -1):
        if value >> position & 1:
            value ^= _GENERATOR << (position - puf.BCH_CHECKS)
    return np.array([value >> i & 1 for i in range(puf.BCH_CHECKS)], dtype=np.uint8)


def _locator(syndromes: list[int]) -> list[int]:
    """Error locator polynomial by Berlekamp-Massey, constant term first."""
    current, support = [1], [1]
    length, gap, scale = 0, 1, 1
    for step, syndrome in enumerate(syndromes):
        discrepancy = syndrome
        for i in range(1, min(length, len(current) - 1) + 1):
            discrepancy ^= _multiply(current[i], syndromes[step - i])
        if discrepancy == 0:
            gap += 1
            continue
        factor = _divide(discrepancy, scale)
        shifted = [0] * gap + [_multiply(factor, c) for c in support]
        width = max(len(current), len(shifted))
        updated = [
            (current[i] if i < len(current) else 0) ^ (shifted[i] if i < len(shifted) else 0)
            for i in range(width)
        ]
        if 2 * length <= step:
            length, support, scale, gap = step + 1 - length, current, discrepancy, 1
        else:
            gap += 1
        current = updated
    return current


def correct(bits: Bytes, difference: Bytes) -> Bytes:
    """Flip the errors whose polynomial has the remainder ``difference``.

    With more than 9 errors the result is wrong, and may differ from the firmware's wrong result;
    the sketch's tag refuses both.

    Args:
        bits: 255 bits as uint8.
        difference: 68 bits as uint8.

    Returns:
        255 bits as uint8.
    """
    terms = [i for i, bit in enumerate(difference) if bit]
    syndromes = []
    for power in range(1, 2 * puf.BCH_ERRORS + 1):
        total = 0
        for term in terms:
            total ^= _EXP[term * power % puf.BCH_LENGTH]
        syndromes.append(total)
    locator = _locator(syndromes)
    corrected = bits.copy()
    for position in range(puf.BCH_LENGTH):
        total = 0
        for degree, coefficient in enumerate(locator):
            total ^= _multiply(coefficient, _EXP[-degree * position % puf.BCH_LENGTH])
        if total == 0:
            corrected[position] ^= 1
    return corrected
