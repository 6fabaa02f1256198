"""Paired tests: known values, scipy's results, and what too few pairs leave open."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import permutation_test, ttest_1samp

from rbnn.theft.statistics import LEVEL, PairedTest, correct, paired_test


@settings(deadline=None)
@given(st.lists(st.integers(-1000, 1000).map(lambda n: n / 64), min_size=2, max_size=8))
def test_p_values_are_those_of_scipy(differences: list[float]) -> None:
    # Sums of 64ths are exact, so that equal ones are ties for scipy, too.
    test = paired_test(differences)
    if np.std(differences) > 1e-9:
        expected = ttest_1samp(differences, 0, alternative="greater")
        assert test.p == pytest.approx(expected.pvalue)
        interval = ttest_1samp(differences, 0).confidence_interval(0.95)
        assert (test.low, test.high) == pytest.approx(tuple(interval))
    flips = permutation_test(
        (np.asarray(differences),), np.sum, permutation_type="samples", alternative="greater"
    )
    assert test.p_flips == pytest.approx(flips.pvalue)


def test_many_pairs_are_flipped_at_random() -> None:
    differences = list(np.random.default_rng(4).normal(0.4, 1, 40))
    test = paired_test(differences)
    assert test.p_flips == pytest.approx(test.p, abs=0.01)


def test_the_detectable_gain_is_found_four_times_out_of_five() -> None:
    rng = np.random.default_rng(5)
    seen = paired_test([-1.0, 0.0, 1.0, 2.0])
    assert seen.detectable is not None
    spread = float(np.std(seen.differences, ddof=1))
    draws = rng.normal(seen.detectable, spread, (4000, 4))
    found = np.mean(ttest_1samp(draws, 0, axis=1, alternative="greater").pvalue < LEVEL)
    assert found == pytest.approx(0.8, abs=0.03)


def test_one_pair_tells_nothing() -> None:
    test = paired_test([5.0])
    assert (test.pairs, test.mean) == (1, 5.0)
    assert test.low is test.high is test.p is test.p_flips is test.detectable is None
    assert not test.significant


def test_differences_without_spread_are_left_to_the_flips() -> None:
    assert paired_test([0.0, 0.0, 0.0]).p == 1.0
    assert paired_test([1.0, 1.0, 1.0]).p == 1 / 8


def with_p(p: float | None) -> PairedTest:
    return paired_test([1.0, 2.0]).model_copy(update={"p": p})


def test_holm_corrects_for_the_number_of_tests() -> None:
    adjusted = [one.adjusted for one in correct([with_p(p) for p in (0.04, 0.01, None, 0.03)])]
    assert adjusted == pytest.approx([0.06, 0.03, None, 0.06])
    assert [one.significant for one in correct([with_p(0.04), with_p(0.02)])] == [True, True]
    assert not any(one.significant for one in correct([with_p(0.04), with_p(0.03)]))
