"""The learning rate over a run, with and without fine-tuning at its end."""

from __future__ import annotations

import pytest

from rbnn.train.schedule import WARM_UP, fine_tunes, learning_rate


def test_it_rises_and_falls_to_nothing() -> None:
    rates = [learning_rate(0.01, step / 1000) for step in range(1001)]
    top = rates.index(max(rates))
    assert top == pytest.approx(1000 * WARM_UP, abs=1)
    assert max(rates) == pytest.approx(0.01)
    assert 0 < rates[0] < 0.001
    assert all(one >= other for one, other in zip(rates[top:], rates[top + 1 :], strict=False))
    assert rates[-1] == pytest.approx(0, abs=1e-12)


def test_fine_tuning_has_a_curve_of_its_own() -> None:
    share = 0.2
    for progress in (0.0, 0.1, 0.5, 0.99):
        joint = learning_rate(0.01, progress * (1 - share), share)
        assert joint == pytest.approx(learning_rate(0.01, progress))
        tuned = learning_rate(0.01, 1 - share + progress * share, share)
        assert tuned == pytest.approx(learning_rate(0.01, progress))
    assert learning_rate(0.01, 1.0, share) == pytest.approx(0, abs=1e-12)


def test_it_begins_where_the_joint_training_ends() -> None:
    assert [fine_tunes(progress, 0.25) for progress in (0.0, 0.74, 0.75, 1.0)] == [
        *(False, False),
        *(True, True),
    ]
    assert not fine_tunes(1.0, 0.0)
