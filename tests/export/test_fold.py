"""Folding batch norm: integer decisions equal the real ones for every possible sum."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rbnn.container.errors import ExportError
from rbnn.container.params import Residual
from rbnn.engine import arithmetic
from rbnn.export.fold import (
    Trained,
    fold,
    fold_logits,
    fold_residual,
    fold_thresholds,
)
from rbnn.nets.topology import Layer
from rbnn.operators.workings import WORKINGS
from rbnn.runs.parameters import Normalisation, RPReLU
from rbnn.spec import operators
from rbnn.spec.layout import Activation, Output, Sign, Stage

CONV = Layer(
    operators.CONV, (4, 4, 32), (4, 4, 32), 0, 3, 1, 1, stage=Stage.THRESHOLD, output=Output.BITS
)
STEM = Layer(
    operators.STEM, (4, 4, 3), (4, 4, 32), -1, 3, 1, 1, stage=Stage.THRESHOLD, output=Output.BITS
)
DENSE = Layer(operators.DENSE, (2, 2, 32), (1, 1, 10), 0)
DENSE_STREAM = Layer(operators.DENSE_STREAM, (1, 1, 32), (1, 1, 10), 0)
FLOATS = st.floats(-3000, 3000, width=32)
HERE = "Task digits, layer 4 (conv)"


def residual(layer: Layer = CONV, **members: Any) -> Layer:
    """``layer`` with a residual stage."""
    output = Output.BITS | Output.STREAM
    return dataclasses.replace(layer, stage=Stage.RESIDUAL, output=output, **members)


def trained(
    layer: Layer,
    values: Normalisation,
    activation: RPReLU | None = None,
    sign: Any = None,
    shares: int = 0,
) -> Trained:
    """All of the layer's channels are trained ones."""
    outputs = np.arange(layer.out_shape[2])
    constant = np.full(len(outputs), shares, np.int64)
    return Trained(HERE, layer, outputs, constant, values, activation, sign)


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
    shares=st.integers(-40, 40),
)
def test_thresholds_decide_as_batch_norm(
    beta: float, mean: float, variance: float, gamma: float, shares: int
) -> None:
    for layer, largest, unit in ((CONV, 288, 2), (STEM, 27 * 255, 1)):
        values = norm(gamma=gamma, beta=beta, mean=mean, variance=variance)
        own = trained(layer, values, shares=shares)
        threshold = int(fold_thresholds(own).thresholds[0])
        # What the kernel gives, and the sum of only the trained products.
        kernel = np.arange(-largest // unit, largest // unit + 1, dtype=np.float64)
        sums = unit * kernel - shares
        deviation = np.sqrt(np.float64(values.variance[0]) + values.epsilon)
        exact = np.float64(values.mean[0]) - np.float64(values.beta[0]) * deviation / np.float64(
            values.gamma[0]
        )
        assert np.array_equal(kernel >= threshold, sums >= exact)
        normed = values.gamma[0] * (sums - values.mean[0]) / deviation + values.beta[0]
        # Except for sums so close to the border that rounding decides.
        clear = np.abs(normed) > 1e-4
        assert np.array_equal((kernel >= threshold)[clear], (normed >= 0)[clear])


@given(st.integers(-288, 288))
def test_a_sum_on_the_threshold_is_plus_one(mean: int) -> None:
    threshold = fold_thresholds(trained(CONV, norm(mean=mean))).thresholds[0]
    assert threshold == -(-mean // 2)


@pytest.mark.parametrize("gamma", [0.0, -1.0])
def test_gamma_that_is_not_positive_is_refused_by_name(gamma: float) -> None:
    values = norm()
    values.gamma[7] = gamma
    with pytest.raises(ExportError, match=r"digits, layer 4 \(conv\): gamma of filter 7") as caught:
        fold(trained(CONV, values), 10)
    assert caught.value.fix


@pytest.mark.parametrize("member", ["mean", "beta", "variance"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite_are_refused(member: str, value: float) -> None:
    for layer in (CONV, residual(), DENSE):
        with pytest.raises(ExportError, match=r"digits.*of channel 0 is not finite"):
            fold(trained(layer, norm(**{member: value})), 10)


def test_a_negative_variance_is_refused() -> None:
    with pytest.raises(ExportError, match="variance of channel 0 is negative"):
        fold(trained(CONV, norm(variance=-1.0)), 10)


def test_too_few_values_are_refused() -> None:
    with pytest.raises(ExportError, match="needs 32 values"):
        fold(trained(CONV, norm(31)), 10)
    with pytest.raises(ExportError, match="needs 10 values"):
        fold(trained(DENSE, norm(9)), 10)


@given(
    gamma=st.floats(-4, 4, width=32),
    beta=st.floats(-20, 20, width=32),
    mean=st.floats(-100, 100, width=32),
    variance=st.floats(1, 1000, width=32),
    shares=st.integers(-40, 40),
)
def test_a_residual_stage_is_batch_norm_to_within_its_units(
    gamma: float, beta: float, mean: float, variance: float, shares: int
) -> None:
    values = norm(gamma=gamma, beta=beta, mean=mean, variance=variance)
    kernel = np.arange(-144, 145)[:, None]
    exact = (
        gamma * (2 * kernel - shares - mean) / np.sqrt(np.float64(variance) + values.epsilon) + beta
    )
    group = fold_residual(trained(residual(), values, shares=shares))
    if np.abs(group.biases.astype(np.int64)).max() >= 2**15 - 1:
        assert np.abs(exact).max() > 120
        return
    assert 0 <= group.shift <= 16
    stream, bits = arithmetic.residual(np.broadcast_to(kernel, (289, 32)), None, group)
    limited = np.clip(exact, -128, 127 + 255 / 256)
    # Rounding of scale, of bias and of the result; the scale's own grows with the sum.
    bound = 1.5 + 144 * 0.5 / 2**group.shift
    assert np.abs(stream - limited * 256).max() <= bound + 1e-3
    assert np.array_equal(bits, stream >= 0)


def test_the_scale_uses_all_available_bits() -> None:
    group = fold_residual(trained(residual(), norm(gamma=0.5, variance=288.0)))
    assert group.scales.max() > 2**14 or group.shift == 16


def test_scales_and_biases_are_limited_to_16_bits_as_in_keras() -> None:
    values = norm(gamma=1.0, variance=1.0)
    values.gamma[5] = 200.0
    group = fold(trained(residual(), values), 10)
    assert isinstance(group, Residual)
    assert (group.shift, group.scales[5], group.scales[4]) == (0, 2**15 - 1, 512)
    values = norm(variance=100.0)
    values.beta[9] = -129.0
    values.beta[10] = 300.0
    group = fold(trained(residual(), values), 10)
    assert isinstance(group, Residual)
    assert group.biases[9:12].tolist() == [-(2**15), 2**15 - 1, 0]


def test_a_variance_of_zero_is_refused() -> None:
    with pytest.raises(ExportError, match="variance of channel 0 is zero"):
        fold(trained(residual(), norm(variance=0.0, epsilon=0.0)), 10)


def test_rprelu_and_rsign_in_fixed_point() -> None:
    layer = residual(activation=Activation.RPRELU, sign=Sign.THRESHOLDS)

    def full(value: float) -> Any:
        return np.full(32, value, np.float32)

    relu = RPReLU(full(0.25), full(-0.125), full(1.5))
    group = fold_residual(trained(layer, norm(), relu, full(0.3)))
    members = (group.points, group.slopes, group.offsets, group.thresholds)
    assert [int(array[0]) for array in members if array is not None] == [64, -2048, 384, 77]
    with pytest.raises(ExportError, match="RPReLU's point needs 32 values"):
        fold_residual(trained(layer, norm(), None, full(0.0)))
    with pytest.raises(ExportError, match="the sign's threshold needs 32 values"):
        fold_residual(trained(layer, norm(), relu))
    steep = fold_residual(trained(layer, norm(), RPReLU(full(0), full(2), full(-300)), full(0)))
    assert steep.slopes is not None and (steep.slopes == 2**15 - 1).all()
    assert steep.offsets is not None and (steep.offsets == -(2**15)).all()


def test_padding_channels_give_plus_one_and_an_empty_stream() -> None:
    outputs = np.array([0, 1, 5])
    values, shares = norm(3), np.zeros(3, np.int64)
    thresholds = fold_thresholds(Trained(HERE, CONV, outputs, shares, values)).thresholds
    assert (np.delete(thresholds, outputs) == -(2**15)).all()
    group = fold_residual(Trained(HERE, residual(), outputs, shares, values))
    sums = np.random.default_rng(1).integers(-144, 145, (50, 32))
    stream, bits = arithmetic.residual(sums, None, group)
    assert not np.delete(stream, outputs, axis=1).any()
    assert np.delete(bits, outputs, axis=1).all()


@given(
    gamma=st.floats(-4, 4, width=32),
    beta=st.floats(-20, 20, width=32),
    mean=st.floats(-100, 100, width=32),
    variance=st.floats(1, 1000, width=32),
    shares=st.integers(-40, 40),
)
def test_logits_are_batch_norm_to_within_rounding(
    gamma: float, beta: float, mean: float, variance: float, shares: int
) -> None:
    values = norm(10, gamma=gamma, beta=beta, mean=mean, variance=variance)
    group = fold_logits(trained(DENSE, values, shares=shares), 10)
    dots = np.arange(-128, 129, 2, dtype=np.int64)
    logits = ((dots + shares) * int(group.scales[0]) + int(group.biases[0])) / 2**20
    exact = gamma * (dots - mean) / np.sqrt(variance + values.epsilon) + beta
    assert np.abs(logits - exact).max() <= (128 + 1) * 0.5 / 2**20 + 1e-4


def test_logits_of_the_stream_count_it_in_units() -> None:
    values = norm(10, gamma=0.7, beta=-1.5, mean=3.0, variance=4.0)
    group = fold_logits(trained(DENSE_STREAM, values), 10)
    stream = np.random.default_rng(2).integers(-(2**15), 2**15, (40, 32)).astype(np.int16)
    kernel = np.random.default_rng(3).random((32, 10)) < 0.5
    products = WORKINGS[operators.DENSE_STREAM].compute(DENSE_STREAM, stream, kernel)
    logits = arithmetic.logits(products, group, operators.DENSE_STREAM) / 2**20
    dots = (stream / 256) @ np.where(kernel, 1, -1)
    exact = 0.7 * (dots - 3.0) / np.sqrt(4.0 + values.epsilon) - 1.5
    inside = np.abs(exact) < 2047
    assert inside.any() and np.abs(logits - exact)[inside].max() < 5e-3


def test_classes_that_a_task_lacks_are_zero() -> None:
    group = fold_logits(trained(DENSE, norm(10, beta=1.0)), 4)
    assert group.scales.shape == group.biases.shape == (10,)
    assert group.scales[:4].all() and group.biases[:4].all()
    assert not group.scales[4:].any() and not group.biases[4:].any()


def test_logits_that_could_overflow_are_refused() -> None:
    with pytest.raises(ExportError, match="class 0 could reach"):
        fold(trained(DENSE, norm(10, variance=0.0, epsilon=1e-9)), 10)
    for layer in (DENSE, DENSE_STREAM):
        with pytest.raises(ExportError, match="could reach"):
            fold(trained(layer, norm(10, variance=0.0, epsilon=0.0)), 10)


def test_thresholds_of_an_8_bit_stem_are_limited_to_16_bits() -> None:
    layer = dataclasses.replace(STEM, op=operators.STEM8)
    means = np.linspace(-40000, 40000, 32, dtype=np.float32)
    values = dataclasses.replace(norm(32), mean=means, beta=np.zeros(32, np.float32))
    weights = np.random.default_rng(1).integers(-127, 128, layer.kernel_shape).astype(np.int8)
    group = fold_thresholds(dataclasses.replace(trained(layer, values), weights=weights))
    np.testing.assert_array_equal(group.thresholds, np.clip(np.ceil(means), -32767, 32767))
    assert group.weights is weights


def test_8_bit_logits_saturate_and_have_no_weights_beyond_the_classes() -> None:
    layer = dataclasses.replace(DENSE, op=operators.DENSE8)
    weights = np.full(layer.kernel_shape, 127, np.int8)
    made = dataclasses.replace(trained(layer, norm(10, gamma=1000.0)), weights=weights)
    group = fold_logits(made, 4)
    assert group.weights is not None
    assert not group.weights[:, 4:].any()
    assert (group.weights[:, :4] == 127).all()
    sums = np.full((1, 10), 127 * 128)
    assert arithmetic.logits(sums, group, layer.op)[0, 0] == 2**31 - 1
