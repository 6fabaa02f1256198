"""Folding batch norm: integer decisions equal the real ones for every possible sum."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rbnn.export.errors import ExportError
from rbnn.export.fold import fold_scales, fold_thresholds
from rbnn.nets.topology import Layer
from rbnn.spec.layout import Operator
from rbnn.train.parameters import Normalisation

CONV = Layer(Operator.CONV, (4, 4, 32), (4, 4, 32), 3, 1, 1)
STEM = Layer(Operator.STEM, (4, 4, 3), (4, 4, 32), 3, 1, 1)
DENSE = Layer(Operator.DENSE, (2, 2, 32), (1, 1, 10))
FLOATS = st.floats(-3000, 3000, width=32)


def norm(
    count: int = 32,
    *,
    gamma: float = 1.0,
    beta: float = 0.0,
    mean: float = 0.0,
    variance: float = 1.0,
    epsilon: float = 1e-3,
) -> Normalisation:
    def full(value: float) -> np.ndarray:
        return np.full(count, value, np.float32)

    return Normalisation(full(gamma), full(beta), full(mean), full(variance), epsilon)


@given(
    beta=st.floats(-50, 50, width=32),
    mean=FLOATS,
    variance=st.floats(0, 1e6, width=32),
    gamma=st.floats(np.float32(0.01), 10, width=32),
)
def test_thresholds_decide_as_batch_norm(
    beta: float, mean: float, variance: float, gamma: float
) -> None:
    for layer, largest in ((CONV, 288), (STEM, 27 * 255)):
        values = norm(gamma=gamma, beta=beta, mean=mean, variance=variance)
        threshold = int(fold_thresholds(values, layer, "here")[0])
        sums = np.arange(-largest, largest + 1, dtype=np.float64)
        deviation = np.sqrt(np.float64(values.variance[0]) + values.epsilon)
        exact = np.float64(values.mean[0]) - np.float64(values.beta[0]) * deviation / np.float64(
            values.gamma[0]
        )
        assert np.array_equal(sums >= threshold, sums >= exact)
        normed = values.gamma[0] * (sums - values.mean[0]) / deviation + values.beta[0]
        # Apart from sums that lie on the border to within rounding.
        clear = np.abs(normed) > 1e-4
        assert np.array_equal((sums >= threshold)[clear], (normed >= 0)[clear])


@given(st.integers(-288, 288))
def test_a_sum_on_the_threshold_is_plus_one(mean: int) -> None:
    assert fold_thresholds(norm(mean=mean), CONV, "here")[0] == mean


@pytest.mark.parametrize("gamma", [0.0, -1.0])
def test_gamma_that_is_not_positive_is_refused_by_name(gamma: float) -> None:
    values = norm()
    values.gamma[7] = gamma
    with pytest.raises(ExportError, match=r"layer 4 \(conv\): gamma of filter 7") as caught:
        fold_thresholds(values, CONV, "Task digits, layer 4 (conv)")
    assert caught.value.mend


@pytest.mark.parametrize("member", ["mean", "beta", "variance"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite_are_refused(member: str, value: float) -> None:
    with pytest.raises(ExportError, match="not finite"):
        fold_thresholds(norm(**{member: value}), CONV, "here")
    with pytest.raises(ExportError, match="not finite"):
        fold_scales(norm(**{member: value}), DENSE, 10, "here")


def test_a_negative_variance_is_refused() -> None:
    with pytest.raises(ExportError, match="negative variance"):
        fold_thresholds(norm(variance=-1.0), CONV, "here")


def test_too_few_values_are_refused() -> None:
    with pytest.raises(ExportError, match="needs 32 values"):
        fold_thresholds(norm(31), CONV, "here")
    with pytest.raises(ExportError, match="needs 10 values"):
        fold_scales(norm(9), DENSE, 10, "here")


def test_sums_beyond_16_bits_are_refused() -> None:
    wide = Layer(Operator.STEM, (8, 8, 4), (8, 8, 32), 7, 1, 3)
    with pytest.raises(ExportError, match="do not fit 16-bit"):
        fold_thresholds(norm(), wide, "here")


@given(
    gamma=st.floats(-4, 4, width=32),
    beta=st.floats(-20, 20, width=32),
    mean=st.floats(-100, 100, width=32),
    variance=st.floats(1, 1000, width=32),
)
def test_logits_are_batch_norm_to_within_rounding(
    gamma: float, beta: float, mean: float, variance: float
) -> None:
    values = norm(10, gamma=gamma, beta=beta, mean=mean, variance=variance)
    scales, biases = fold_scales(values, DENSE, 10, "here")
    dots = np.arange(-128, 129, 2, dtype=np.int64)
    logits = (dots * int(scales[0]) + int(biases[0])) / 2**20
    exact = gamma * (dots - mean) / np.sqrt(variance + values.epsilon) + beta
    assert np.abs(logits - exact).max() <= (128 + 1) * 0.5 / 2**20 + 1e-4


def test_classes_that_a_task_lacks_are_zero() -> None:
    scales, biases = fold_scales(norm(10, beta=1.0), DENSE, 4, "here")
    assert scales.shape == biases.shape == (10,)
    assert scales[:4].all() and biases[:4].all()
    assert not scales[4:].any() and not biases[4:].any()


def test_logits_that_could_overflow_are_refused() -> None:
    with pytest.raises(ExportError, match="class 0 could reach"):
        fold_scales(norm(10, variance=0.0, epsilon=1e-9), DENSE, 10, "here")
    with pytest.raises(ExportError, match="could reach"):
        fold_scales(norm(10, variance=0.0, epsilon=0.0), DENSE, 10, "here")
