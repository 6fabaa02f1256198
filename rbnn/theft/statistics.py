"""Paired comparisons of accuracies, and what a given number of pairs can show."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.stats import nct, t

from rbnn.frozen import Frozen

LEVEL = 0.05
"""Of the tests; the intervals hold 95 %."""
POWER = 0.8
MOST_FLIPPED = 15
"""Up to this many pairs, every pattern of signs is tried: at most 32,768."""
DRAWN_PATTERNS = 20_000


class PairedTest(Frozen):
    """Differences of pairs in percentage points, and whether they are a gain.

    ``low`` and ``high`` bound the mean difference's 95 % interval (Student's t). ``p`` is the
    one-sided p-value of "no gain" by the paired t-test, ``adjusted`` the same after Holm's
    correction for all comparisons of its kind, ``p_flips`` that of the sign-flip permutation test,
    which assumes nothing of the differences' distribution. ``detectable`` is the true gain that
    these pairs would find significant (before the correction) in 80 % of repetitions, at the
    observed spread. None: too few pairs.
    """

    differences: tuple[float, ...]
    mean: float
    low: float | None
    high: float | None
    p: float | None
    p_flips: float | None
    adjusted: float | None = None
    detectable: float | None

    @property
    def pairs(self) -> int:
        """Their number."""
        return len(self.differences)

    @property
    def significant(self) -> bool:
        """Whether it is a gain, after the correction if there was one."""
        p = self.p if self.adjusted is None else self.adjusted
        return p is not None and p < LEVEL


def paired_test(differences: Sequence[float]) -> PairedTest:
    """Test paired differences for a gain.

    Args:
        differences: percentage points, one per pair; one pair or more.

    Source: Student, "The probable error of a mean", Biometrika 1908; Fisher, "The Design of
    Experiments", 1935, section 21 (sign flips).
    """
    values = np.asarray(differences, np.float64)
    count, mean = len(values), float(np.mean(differences))
    if count < 2:
        return PairedTest(
            differences=tuple(differences), mean=mean,
            low=None, high=None, p=None, p_flips=None, detectable=None,
        )  # fmt: skip
    error = float(values.std(ddof=1)) / math.sqrt(count)
    flips = _sign_flips(values)
    reach = float(t.ppf(1 - LEVEL / 2, count - 1)) * error
    return PairedTest(
        differences=tuple(differences),
        mean=mean,
        low=mean - reach,
        high=mean + reach,
        # Without any spread there is no t, and the flips give the p-value.
        p=float(t.sf(mean / error, count - 1)) if error > 0 else flips,
        p_flips=flips,
        detectable=error * _detectable_errors(count),
    )


def correct(tests: Sequence[PairedTest]) -> list[PairedTest]:
    """The same tests with p-values adjusted for the number of tests.

    See :func:`holm`.
    """
    known = [place for place, test in enumerate(tests) if test.p is not None]
    values = [test.p for test in tests if test.p is not None]
    adjusted = dict(zip(known, holm(values), strict=True))
    return [
        test.model_copy(update={"adjusted": adjusted.get(place)})
        for place, test in enumerate(tests)
    ]


def holm(values: Sequence[float]) -> list[float]:
    """P-values adjusted for their number, in the same order; the tests may depend on each other.

    Source: Holm, "A simple sequentially rejective multiple test procedure", Scand. J. Stat. 1979.
    """
    adjusted = [0.0] * len(values)
    highest = 0.0
    for rank, place in enumerate(np.argsort(values, kind="stable")):
        highest = max(highest, min(1.0, values[place] * (len(values) - rank)))
        adjusted[place] = highest
    return adjusted


def _sign_flips(values: npt.NDArray[np.float64]) -> float:
    """One-sided p-value: how often random signs give a sum as large; exact for few pairs."""
    count = len(values)
    if count <= MOST_FLIPPED:
        patterns = (np.arange(2**count)[:, None] >> np.arange(count)) & 1
        drawn = 0
    else:
        patterns = np.random.default_rng(1).integers(0, 2, (DRAWN_PATTERNS, count))
        drawn = 1  # the observed pattern counts as one of them
    sums = np.abs(values) @ (1 - 2 * patterns.T)
    # Sums that are equal except for rounding count as equal.
    as_large = np.count_nonzero(sums >= values.sum() - 1e-9)
    return float((as_large + drawn) / (len(patterns) + drawn))


def _detectable_errors(count: int) -> float:
    """The gain found with probability ``POWER``, in standard errors of the mean.

    Source: Cohen, "Statistical Power Analysis for the Behavioral Sciences", 1988, section 2.3
    (noncentral t).
    """
    bound = t.ppf(1 - LEVEL, count - 1)
    return float(brentq(lambda shift: nct.sf(bound, count - 1, shift) - POWER, 0.0, 200.0))
