"""The keyed quantizer: what it computes, what flows back, what it never gives away."""

from __future__ import annotations

import numpy as np
import pytest

from rbnn.errors import RbnnError
from rbnn.nets.framework import tf
from rbnn.nets.quantizer import KeyedSign
from rbnn.nets.schemes import SCHEMES, ChannelOrders, LayerKey
from rbnn.spec import key_stream, packing
from rbnn.spec.layout import Packing

SHAPE = (3, 3, 32, 7)
KEY = key_stream.stream_key(bytes(range(32)), bytes(16))


def keyed(shape: tuple[int, ...] = SHAPE) -> KeyedSign:
    quantizer = KeyedSign(("one", "two"))
    quantizer.build(shape)
    quantizer.set_key("one", key_stream.kernel_mask(KEY, 3, shape, Packing.TILES))
    return quantizer


def test_weights_are_the_stored_bits_xor_the_key_stream() -> None:
    latent = np.random.default_rng(1).normal(size=SHAPE).astype(np.float32)
    latent[0, 0, 0] = 0.0
    latent[0, 0, 1] = -0.0
    quantizer = keyed()
    with quantizer.using("one"):
        weights = quantizer(tf.constant(latent)).numpy()

    stored = packing.pack_kernel(latent >= 0, Packing.TILES)
    reconfigured = key_stream.reconfigure(stored, KEY, 3)
    bits = packing.unpack_kernel(reconfigured, SHAPE, Packing.TILES)
    np.testing.assert_array_equal(weights, 2.0 * bits - 1)


def test_gradient_passes_through_the_same_mask_inside_the_clip() -> None:
    latent = tf.Variable(np.linspace(-2, 2, int(np.prod(SHAPE))).reshape(SHAPE).astype("f4"))
    upstream = np.random.default_rng(2).normal(size=SHAPE).astype(np.float32)
    quantizer = keyed()
    with tf.GradientTape() as tape, quantizer.using("one"):
        loss = tf.reduce_sum(quantizer(latent) * upstream)
    gradient = tape.gradient(loss, latent).numpy()

    mask = np.where(key_stream.kernel_mask(KEY, 3, SHAPE, Packing.TILES), -1.0, 1.0)
    inside = np.abs(latent.numpy()) <= 1
    np.testing.assert_allclose(gradient, upstream * mask * inside, rtol=1e-6)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_what_is_stored_for_a_kernel_is_keyed_back_to_it(scheme: str) -> None:
    generator = np.random.default_rng(4)
    quantizer = KeyedSign(("one",), scheme)
    quantizer.build(SHAPE)
    key: dict[str, LayerKey] = {
        "xor": generator.random(SHAPE) < 0.5,
        "sign": generator.random(SHAPE[-2:]) < 0.5,
        "permute": ChannelOrders(*(generator.permutation(size) for size in SHAPE[-2:])),
    }
    if scheme in key:
        quantizer.set_key("one", key[scheme])
    values = tf.constant(generator.normal(size=SHAPE), tf.float32)
    stored = quantizer.stored(values, "one")
    np.testing.assert_array_equal(quantizer.keyed(stored, "one"), values)
    with quantizer.using("one"):
        np.testing.assert_array_equal(quantizer(stored), tf.sign(values))


def test_without_its_key_a_task_computes_nan() -> None:
    quantizer = keyed()
    with quantizer.using("two"):
        assert np.isnan(quantizer(tf.ones(SHAPE)).numpy()).all()


def test_outside_a_task_it_gives_the_stored_bits() -> None:
    latent = np.random.default_rng(3).normal(size=SHAPE).astype(np.float32)
    np.testing.assert_array_equal(keyed()(tf.constant(latent)), np.where(latent >= 0, 1, -1))


def test_a_key_that_is_set_again_replaces_the_first() -> None:
    quantizer = keyed()
    quantizer.set_key("one", np.zeros(SHAPE, np.bool_))
    with quantizer.using("one"):
        np.testing.assert_array_equal(quantizer(tf.ones(SHAPE)), np.ones(SHAPE))


def test_scheme_none_gives_all_tasks_the_same_weights_and_takes_no_key() -> None:
    quantizer = KeyedSign(("one", "two"), "none")
    quantizer.build(SHAPE)
    with quantizer.using("two"):
        np.testing.assert_array_equal(quantizer(-tf.ones(SHAPE)), -np.ones(SHAPE))
    with pytest.raises(ValueError, match="scheme none"):
        quantizer.set_key("two", np.zeros(SHAPE, np.bool_))


def test_unknown_scheme_and_task_are_refused() -> None:
    with pytest.raises(RbnnError, match="rot13"):
        KeyedSign(("one",), "rot13")
    with pytest.raises(ValueError, match="three"), keyed().using("three"):
        pass


def test_config_round_trip_has_no_keys_in_it() -> None:
    quantizer = keyed()
    config = tf.keras.utils.serialize_keras_object(quantizer)
    again = tf.keras.utils.deserialize_keras_object(config)
    assert (again.tasks, again.scheme, again.precision) == (("one", "two"), "xor", 1)
    assert quantizer.weights == []
    assert set(quantizer.get_config()) == {"name", "trainable", "dtype", "tasks", "scheme"}


def test_a_second_key_reaches_the_small_factors() -> None:
    quantizer = keyed()
    small = quantizer.small_factors("one", SHAPE)
    assert small is not None
    key = np.random.default_rng(2).random(SHAPE) < 0.5
    quantizer.set_key("one", key)
    np.testing.assert_array_equal(small.numpy(), np.where(key, -1, 1))
