"""Convolution in bfloat16 against float32: exact forward, within bfloat16's precision backward."""

from __future__ import annotations

import numpy as np
import pytest

from rbnn.nets.framework import tf
from rbnn.nets.layers import SMALLEST_HALVED_SIDE, ReconfigurableConv2D, halved_convolution

BFLOAT16_STEP = 2.0**-8


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("side", [SMALLEST_HALVED_SIDE - 2, SMALLEST_HALVED_SIDE + 2])
def test_it_agrees_with_float32(side: int, stride: int) -> None:
    generator = np.random.default_rng(1)
    signs = generator.choice([-1.0, 1.0], (3, side * stride + 2, side * stride + 2, 16))
    x = tf.constant(signs, tf.float32)
    w = tf.constant(generator.choice([-1.0, 1.0], (3, 3, 16, 8)), tf.float32)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([x, w])
        half = halved_convolution(x, w, stride)
        full = tf.nn.conv2d(x, w, stride, "VALID")
    np.testing.assert_array_equal(half, full, "sums of 144 terms are exact")
    upstream = tf.constant(generator.normal(size=full.shape), tf.float32)
    for variable, terms in ((x, 72), (w, full.shape[1] * full.shape[2] * 3)):
        found = tape.gradient(half, variable, output_gradients=upstream)
        wanted = tape.gradient(full, variable, output_gradients=upstream)
        assert found.dtype == tf.float32
        # Every term is rounded once, and so is their sum.
        tolerance = BFLOAT16_STEP * 4 * np.sqrt(terms)
        np.testing.assert_allclose(found, wanted, atol=tolerance)


def test_a_layer_uses_it_only_while_training() -> None:
    options = {"tasks": ["a"], "scheme": "none", "border": 1, "border_value": 1.0}
    layer = ReconfigurableConv2D(8, 3, input_quantizer="ste_sign", halved=True, **options)
    layer.build((None, 8, 8, 256))
    kernel = np.ones((3, 3, 256, 8), np.float32)
    kernel[0, 0, 0] = -1
    layer.latent_kernel.assign(kernel)
    images = tf.ones((2, 8, 8, 256))
    training, inference = (layer(images, task="a", training=mode) for mode in (True, False))
    # 2,302 of 2,304 terms: bfloat16 holds multiples of 16 there.
    assert set(np.unique(inference)) == {2302}
    assert set(np.unique(training)) == {2304}
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(images, task="a", training=True) ** 2)
    assert np.abs(tape.gradient(loss, layer.latent_kernel)).max() > 0
    assert ReconfigurableConv2D.from_config(layer.get_config()).halved
