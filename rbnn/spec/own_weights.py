"""Weights of 8 bits that belong to a task: int8 in its sealed block, not in the stored bits.

They are symmetrical, -127 to 127. A layer's weights follow its other parameters, filter by filter.
The products of a stem are added up in 32 bits; the sum is then shifted, so that the stage reads 16
bits as it does after binary weights.
"""

from __future__ import annotations

from rbnn.spec.operator import INT16_MAX, LARGEST_OWN_WEIGHT

LARGEST_PIXEL = 255


def stem_shift(filter_weights: int) -> int:
    """Bits by which the sums of an 8-bit stem are shifted right, halves up.

    Args:
        filter_weights: weights of one filter, without padding.
    """
    shift = 0
    while filter_weights * LARGEST_PIXEL * LARGEST_OWN_WEIGHT >> shift >= INT16_MAX:
        shift += 1
    return shift
