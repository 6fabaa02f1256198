"""Reconfigurable layers: one variable, several tasks; configs that can be read back."""

from __future__ import annotations

import numpy as np
import pytest

from rbnn.nets.framework import tf
from rbnn.nets.layers import (
    InputAdapter,
    ReconfigurableConv2D,
    ReconfigurableDense,
    TaskLogits,
)
from rbnn.spec.layout import Adapter


def test_tasks_share_one_latent_kernel() -> None:
    layer = ReconfigurableConv2D(8, 3, tasks=("one", "two"), border=1, border_value=1.0)
    layer.build((None, 4, 4, 32))
    assert len(layer.weights) == 1
    assert len(layer.trainable_weights) == 1
    generator = np.random.default_rng(1)
    bits = {task: generator.random((3, 3, 32, 8)) < 0.5 for task in ("one", "two")}
    for task, key in bits.items():
        layer.set_key(task, key)
    sign = np.where(layer.latent_kernel.numpy() >= 0, 1, -1)
    for task, key in bits.items():
        np.testing.assert_array_equal(layer.task_kernel(task), sign * np.where(key, -1, 1))


def test_both_tasks_gradients_reach_the_shared_kernel() -> None:
    layer = ReconfigurableDense(3, tasks=("one", "two"))
    layer.build((None, 5))
    bits = {"one": np.zeros((5, 3), np.bool_), "two": np.ones((5, 3), np.bool_)}
    for task, key in bits.items():
        layer.set_key(task, key)
    x = tf.constant(np.random.default_rng(4).normal(size=(2, 5)).astype(np.float32))
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(x, task="one")) + 3 * tf.reduce_sum(layer(x, task="two"))
    gradient = tape.gradient(loss, layer.latent_kernel).numpy()
    # Task two's mask is -1 everywhere: 1 - 3 = -2 times the inputs' sum.
    expected = -2 * np.repeat(x.numpy().sum(axis=0)[:, None], 3, axis=1)
    np.testing.assert_allclose(gradient, expected, rtol=1e-5)


@pytest.mark.parametrize("inputs", [(2, 6, 6, 32), (2, 32)])
def test_layer_config_round_trip(inputs: tuple[int, ...]) -> None:
    layer = (
        ReconfigurableConv2D(
            8, 3, tasks=("one",), border=1, border_value=1.0, input_quantizer="ste_sign"
        )
        if len(inputs) == 4
        else ReconfigurableDense(8, tasks=("one",), input_quantizer="ste_sign")
    )
    again = type(layer).from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    assert again.kernel_quantizer.tasks == ("one",)
    x = tf.constant(np.random.default_rng(5).normal(size=inputs).astype(np.float32))
    for one in (layer, again):
        one.build(inputs)
        one.set_key("one", np.zeros(one.latent_kernel.shape, np.bool_))
    again.latent_kernel.assign(layer.latent_kernel)
    np.testing.assert_array_equal(layer(x, task="one"), again(x, task="one"))


def test_the_border_is_the_same_on_all_sides_with_any_stride() -> None:
    layer = ReconfigurableConv2D(
        1, 3, strides=2, tasks=("one",), border=1, border_value=1.0, input_quantizer="ste_sign"
    )
    layer.build((None, 4, 4, 1))
    layer.set_key("one", np.zeros((3, 3, 1, 1), np.bool_))
    layer.latent_kernel.assign(np.ones((3, 3, 1, 1), np.float32))
    image = np.full((1, 4, 4, 1), -0.5, np.float32)
    np.testing.assert_array_equal(layer(image, task="one")[0, :, :, 0], [[1, -3], [-3, -9]])


def test_a_call_names_its_task() -> None:
    layer = ReconfigurableDense(3, tasks=("one",), scheme="none")
    with pytest.raises(TypeError, match="task"):
        layer(tf.ones((1, 4)))
    with pytest.raises(ValueError, match="two"):
        layer(tf.ones((1, 4)), task="two")


def test_adapter_replicates_and_subtracts() -> None:
    image = np.array([[[[10], [200]]]], np.uint8)
    layer = InputAdapter(3, Adapter.REPLICATE, (0, 100, 250))
    np.testing.assert_array_equal(layer(image), [[[[10, -90, -240], [200, 100, -50]]]])
    again = InputAdapter.from_config(layer.get_config())
    np.testing.assert_array_equal(again(image), layer(image))


def test_adapter_wants_one_offset_per_channel() -> None:
    with pytest.raises(ValueError, match="Received"):
        InputAdapter(3, Adapter.IDENTITY, (1,))


def test_task_logits_cut_and_round_trip() -> None:
    layer = TaskLogits.from_config(TaskLogits(2).get_config())
    np.testing.assert_array_equal(layer(tf.constant([[1.0, 2.0, 3.0]])), [[1.0, 2.0]])
