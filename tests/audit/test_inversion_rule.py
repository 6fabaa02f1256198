"""When a small inverted mask counts as found."""

from __future__ import annotations

import numpy as np
from rule_network import RuleNetwork, make_case

from rbnn.audit.case import Candidate
from rbnn.audit.checks.inversion import figures_of, folds_of, smallest_mask
from rbnn.audit.figures import Outcome, Score
from rbnn.audit.limits import INVERSION_SHARE
from rbnn.audit.statistics import deviations
from rbnn.audit.trigger import Trigger

POISONED = [3.71, 132.73, 66.23, 21.34, 17.57, 19.89, 62.21, 292.57, 14.99, 78.19]
"""Masks by class of a small network with a patch to class 0."""


def candidates(sizes: list[float], shares: list[float]) -> list[Candidate]:
    made = []
    for target, (size, share) in enumerate(zip(sizes, shares, strict=True)):
        mask = np.full((32, 32), size / 1024, np.float32)
        trigger = Trigger(mask, np.zeros((32, 32, 1), np.float32))
        low, high = share - 0.02, share + 0.02
        hits = round(1000 * share)
        made.append(
            Candidate(
                "inverted", "inverted", trigger, target, hits, 1000, low, high, INVERSION_SHARE
            )
        )
    return made


def test_a_mask_far_below_the_median_stands_out_where_the_deviation_hides_it() -> None:
    assert -deviations(POISONED)[0] < 2  # the rule of median absolute deviations: missed
    folds = folds_of(POISONED)
    score = smallest_mask(candidates(POISONED, [0.9] * 10), folds, 150, 3.0)
    assert score.value == score.low == max(folds) == folds[0] > 10
    assert sorted(folds)[-2] < 3


def test_the_figure_that_decides_is_among_those_that_are_kept() -> None:
    score = Score(name="small mask", value=5.0, low=5.0, limit=3.0)
    case = make_case(RuleNetwork())
    sizes = POISONED[: case.classes]
    made = figures_of(case, Outcome.FOUND, "said", sizes, folds_of(sizes), (score,))
    assert made.scores == (score,)
    assert [bar.value for bar in made.charts[1].bars] == sizes


def test_a_small_mask_that_fails_on_the_device_is_none() -> None:
    folds = folds_of(POISONED)
    failed = smallest_mask(candidates(POISONED, [0.5] + [0.9] * 9), folds, 150, 3.0)
    assert failed.value == folds[8]
    unsure = smallest_mask(candidates(POISONED, [0.76] + [0.9] * 9), folds, 150, 3.0)
    assert (unsure.value, unsure.low) == (folds[0], folds[8])
    assert unsure.model_copy(update={"limit": 5.0}).outcome is Outcome.UNKNOWN


def test_a_mask_that_covers_much_is_no_trigger() -> None:
    large = [300.0, *[2000.0] * 9]
    assert smallest_mask(candidates(large, [0.95] * 10), folds_of(large), 150, 3.0).value == 0
