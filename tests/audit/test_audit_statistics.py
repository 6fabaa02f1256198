"""Intervals, outliers and ranks of an audit."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from rbnn.audit.statistics import area_under_curve, deviations, wilson


@pytest.mark.parametrize(("hits", "count"), [(0, 20), (3, 20), (20, 20), (1, 1), (450, 1000)])
def test_the_interval_is_wilsons(hits: int, count: int) -> None:
    expected = binomtest(hits, count).proportion_ci(method="wilson")
    assert wilson(hits, count) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_an_interval_of_the_best_of_several_is_wider() -> None:
    assert wilson(5, 20, 10)[0] < wilson(5, 20)[0]
    assert wilson(0, 0) == (0.0, 1.0)


def test_outliers_are_counted_in_median_absolute_deviations() -> None:
    found = deviations([10, 11, 12, 13, 14, 100])
    assert found[-1] > 30
    assert np.abs(found[:-1]).max() < 2
    assert not deviations([3, 3, 3]).any()


def test_the_area_counts_pairs_in_order() -> None:
    assert area_under_curve([1, 2], [3, 4]) == 1
    assert area_under_curve([3, 4], [1, 2]) == 0
    assert area_under_curve([1, 1], [1, 1]) == 0.5
    assert area_under_curve([], [1]) == 0.5
