"""The integer softmax against the real one."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rbnn.spec import scores

LOGITS = st.lists(st.integers(-(2**30), 2**30), min_size=1, max_size=64)


@given(LOGITS)
def test_scores_are_a_distribution_and_the_best_class_leads(logits: list[int]) -> None:
    result = scores.softmax_ppm(logits)
    assert sum(result) == scores.PPM
    assert min(result) >= 0
    assert max(result) == result[logits.index(max(logits))]


@given(st.lists(st.integers(-(20 << 20), 20 << 20), min_size=2, max_size=12))
def test_scores_follow_the_real_softmax(logits: list[int]) -> None:
    real = np.exp((np.array(logits) - max(logits)) / 2**20)
    real /= real.sum()
    assert np.abs(np.array(scores.softmax_ppm(logits)) / scores.PPM - real).max() < 5e-4
