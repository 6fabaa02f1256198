"""The stream's arithmetic in Keras, against the integers that the device computes with."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from rbnn.nets.framework import tf
from rbnn.nets.stream_layers import (
    StreamAverage,
    StreamNorm,
    StreamRPReLU,
    StreamRSign,
    StreamSum,
    fixed_floor,
    fixed_round,
)

Integers = npt.NDArray[np.int64]


def some_stream(*shape: int, seed: int = 1) -> Integers:
    """Values of all sizes, the extremes among them."""
    generator = np.random.default_rng(seed)
    values = (generator.normal(size=shape) * 10 ** generator.uniform(0, 5, shape)).astype(np.int64)
    return sat16(values)


def as_float(integers: Integers) -> tf.Tensor:
    return tf.constant(integers / 256, tf.float32)


def as_integers(values: tf.Tensor) -> Integers:
    scaled = values.numpy().astype(np.float64) * 256
    np.testing.assert_array_equal(scaled, np.rint(scaled))
    return np.asarray(scaled, np.int64)


def sat16(integers: Integers) -> Integers:
    return np.asarray(np.clip(integers, -(2**15), 2**15 - 1), np.int64)


def test_rounding_is_to_the_nearest_with_halves_up() -> None:
    values = tf.constant([0.0, 1.49, 1.5, -1.5, -1.51, 2.5]) / 256
    np.testing.assert_array_equal(as_integers(fixed_round(values)), [0, 1, 2, -1, -2, 3])
    np.testing.assert_array_equal(as_integers(fixed_floor(values)), [0, 1, 1, -2, -2, 2])


def test_gradients_pass_rounding_and_clipping_unchanged() -> None:
    values = tf.Variable([0.3, -200.0, 127.0])
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(StreamSum()(fixed_round(values)) * [2.0, 3.0, 5.0])
    np.testing.assert_array_equal(tape.gradient(loss, values), [2, 3, 5])


@pytest.mark.parametrize("channels", [32, 64])
def test_sums_repeat_a_narrow_shortcut_and_saturate(channels: int) -> None:
    sums, shortcut = some_stream(4, 3, 3, 64), some_stream(4, 3, 3, channels, seed=2)
    expected = sat16(sums + shortcut[..., np.arange(64) % channels])
    total = StreamSum()([as_float(sums), as_float(shortcut)])
    np.testing.assert_array_equal(as_integers(total), expected)


def test_norms_round_in_training_and_scale_in_integers_after_it() -> None:
    norm = StreamNorm(unit=2, scale=True, epsilon=1e-3)
    norm.build((None, 3, 3, 4))
    for value, numbers in (
        (norm.gamma, [1.0, -0.5, 0.001, 2.0]),
        (norm.beta, [0.1, -0.2, 0.3, 0.0]),
        (norm.moving_mean, [3.0, -5.5, 0.25, 1.0]),
        (norm.moving_variance, [100.0, 80.0, 120.0, 90.0]),
    ):
        value.assign(numbers)
    sums = np.random.default_rng(6).integers(-30, 30, (8, 3, 3, 4)) * 2
    inputs = tf.constant(sums, tf.float32)
    scale, bias, shift = (value.numpy() for value in norm.folded())
    assert 2**14 <= np.abs(scale).max() < 2**15
    found = as_integers(norm(inputs))
    shifted = (scale.astype(np.int64) * (sums // 2)) >> int(shift)
    np.testing.assert_array_equal(found, bias.astype(np.int64) + shifted)
    exact = tf.keras.layers.BatchNormalization.call(norm, inputs, training=False).numpy() * 256
    # Half a unit of the bias, one of the shift; scales of channels with little gamma are coarse.
    assert np.abs(found - exact).max() < 1.6

    np.testing.assert_allclose(
        as_integers(norm(inputs, training=True)),
        np.floor(
            tf.keras.layers.BatchNormalization.call(norm, inputs, training=True).numpy() * 256 + 0.5
        ),
    )


def test_padding_channels_count_at_inference_and_are_not_weights() -> None:
    norm = StreamNorm(unit=2, scale=True)
    norm.build((None, 2))
    norm.moving_variance.assign([50.0, 70.0])
    sums = tf.constant([[4.0, -6.0], [0.0, 8.0]])
    before = as_integers(norm(sums))
    norm.set_padding_sums(np.array([6, -4]))
    difference = np.abs(as_integers(norm(sums)) - before)
    assert 0 < difference.max() <= 2
    assert len(norm.weights) == 4
    assert StreamNorm.from_config(norm.get_config()).unit == 2


@pytest.mark.parametrize("window", [2, 4, 8])
def test_averages_round_halves_up(window: int) -> None:
    stream = some_stream(3, 8, 8, 32)
    side = 8 // window
    totals = stream.reshape(3, side, window, side, window, 32).sum(axis=(2, 4))
    layer = StreamAverage.from_config(StreamAverage(window, window).get_config())
    found = as_integers(layer(as_float(stream)))
    np.testing.assert_array_equal(found, (totals + window**2 // 2) // window**2)


def test_a_window_of_one_takes_every_second_pixel() -> None:
    stream = some_stream(3, 5, 8, 32)
    found = as_integers(StreamAverage(1, 2)(as_float(stream)))
    np.testing.assert_array_equal(found, stream[:, ::2, ::2])


def test_rprelu_is_that_of_the_device() -> None:
    generator = np.random.default_rng(3)
    point, offset = (generator.integers(-5000, 5000, 32) for _ in "po")
    slope = generator.integers(-(2**15), 2**15, 32)
    layer = StreamRPReLU()
    layer.build((None, 32))
    layer.point.assign(point / 256)
    layer.slope.assign(slope / 2**14)
    layer.offset.assign(offset / 256)
    stream = some_stream(500, 32)
    moved = sat16(stream - point)
    expected = sat16(np.where(moved >= 0, moved, slope * moved >> 14) + offset)
    np.testing.assert_array_equal(as_integers(layer(as_float(stream))), expected)
    # A product of 30 bits does not fit float32: while training, a unit more here and there.
    difference = np.abs(as_integers(layer(as_float(stream), training=True)) - expected)
    assert difference.max() <= 1
    assert (difference > 0).mean() < 0.01


def test_values_beyond_the_formats_are_held_at_their_rails() -> None:
    layer = StreamRPReLU()
    layer.build((None, 1))
    for value in (layer.point, layer.slope, layer.offset):
        value.assign([300.0])
    rail = 128 - 1 / 256
    assert [float(value[0]) for value in layer.values()] == [rail, 2 - 2**-14, rail]


def test_rsign_subtracts_the_threshold_that_the_device_has() -> None:
    layer = StreamRSign()
    layer.build((None, 2))
    layer.threshold.assign([10.4 / 256, -3.0 / 256])
    signed = as_integers(layer(as_float(np.array([[10, -3], [9, -4]]))))
    np.testing.assert_array_equal(signed >= 0, [[True, True], [False, False]])
