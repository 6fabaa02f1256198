"""Intervals, outliers and ranks; numpy only, so that an install without scipy has them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from rbnn.audit.limits import CONFIDENCE

Values = npt.NDArray[np.float64]
MAD_TO_DEVIATION = 1.4826
"""Of a normal distribution, the standard deviation in median absolute deviations."""


def wilson(hits: int, count: int, tries: int = 1) -> tuple[float, float]:
    """Interval of a share.

    Args:
        hits: how many of ``count``.
        count: 0 gives the whole range.
        tries: of how many shares this one is the largest (Bonferroni).

    Source: Wilson, J. Am. Stat. Assoc. 1927.
    """
    if count == 0:
        return 0.0, 1.0
    z = NormalDist().inv_cdf(1 - (1 - CONFIDENCE) / (2 * tries))
    share, square = hits / count, z * z / count
    middle = (share + square / 2) / (1 + square)
    half = z * math.sqrt(share * (1 - share) / count + square / (4 * count)) / (1 + square)
    return max(0.0, middle - half), min(1.0, middle + half)


def deviations(values: Sequence[float]) -> Values:
    """How many (scaled) median absolute deviations each value is above the median.

    Source: Hampel, J. Am. Stat. Assoc. 1974; Wang et al., S&P 2019.
    """
    array = np.asarray(values, np.float64)
    distances = array - np.median(array)
    spread = MAD_TO_DEVIATION * float(np.median(np.abs(distances)))
    if spread == 0:
        return np.zeros(len(array))
    return np.asarray(distances / spread)


def area_under_curve(lower: npt.ArrayLike, higher: npt.ArrayLike) -> float:
    """Probability that a value of ``lower`` is below one of ``higher``; ties count half."""
    first, second = np.asarray(lower, np.float64), np.asarray(higher, np.float64)
    if not len(first) or not len(second):
        return 0.5
    ordered = np.sort(second)
    above = len(second) - np.searchsorted(ordered, first, side="right")
    equal = np.searchsorted(ordered, first, side="right") - np.searchsorted(ordered, first)
    return float((above + equal / 2).sum() / (len(first) * len(second)))
