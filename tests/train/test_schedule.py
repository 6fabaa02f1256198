"""The learning rate over a run."""

from __future__ import annotations

import pytest

from rbnn.train.schedule import WARM_UP, learning_rate


def test_it_rises_and_falls_to_zero() -> None:
    rates = [learning_rate(0.01, step / 1000) for step in range(1001)]
    top = rates.index(max(rates))
    assert top == pytest.approx(1000 * WARM_UP, abs=1)
    assert max(rates) == pytest.approx(0.01)
    assert 0 < rates[0] < 0.001
    assert all(one >= other for one, other in zip(rates[top:], rates[top + 1 :], strict=False))
    assert rates[-1] == pytest.approx(0, abs=1e-12)
