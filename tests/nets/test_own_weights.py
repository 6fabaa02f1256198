"""Layers with 8-bit weights in Keras, against the integers that the device computes with."""

from __future__ import annotations

import numpy as np
import pytest

from rbnn.nets.architectures import lay_out
from rbnn.nets.framework import tf
from rbnn.nets.own_weights import OwnDense, OwnStem, OwnWeights, own_stem
from rbnn.nets.topology import Layer, Topology
from rbnn.operators.workings import WORKINGS
from rbnn.spec.own_weights import stem_shift


def topology() -> Topology:
    return lay_out("vgg", (8, 8, 3), 5, 32, 3, stem_bits=8, classifier_bits=8)


def stem_layer() -> Layer:
    return topology().layers[0]


def dense(shape: tuple[int, int], quantizer: str | None) -> OwnDense:
    layer = OwnDense(quantizer, shape=shape, seed=1)
    layer.build((None, shape[0]))
    return layer


def test_the_largest_weight_of_every_filter_is_127() -> None:
    layer = own_stem(stem_layer(), None, 4, "stem")
    layer.latent.assign(layer.latent * np.linspace(0.01, 50, 32, dtype=np.float32))
    weights, steps = layer.read()
    assert weights.dtype == np.int8
    assert np.array_equal(np.abs(weights.astype(int)).max(axis=(0, 1, 2)), np.full(32, 127))
    np.testing.assert_allclose(weights * steps, layer.latent.numpy(), atol=steps.max() / 2)


def test_a_filter_of_zeros_stays_one() -> None:
    layer = dense((4, 2), None)
    layer.latent.assign(np.array([[0, 1], [0, 2], [0, -4], [0, 0]], np.float32))
    weights, _ = layer.read()
    assert weights.T.tolist() == [[0, 0, 0, 0], [32, 64, -127, 0]]


@pytest.mark.parametrize("pixels", ["any", "most"])
def test_the_stem_gives_the_device_s_sums(pixels: str) -> None:
    row = stem_layer()
    layer = own_stem(row, None, 4, "stem")
    generator = np.random.default_rng(1)
    image = generator.integers(-255, 256, (2, 8, 8, 3)).astype(np.float32)
    if pixels == "most":
        layer.latent.assign(tf.ones_like(layer.latent))
        image[0], image[1] = 255, -255
    found = layer(tf.constant(image)).numpy()
    largest = found.reshape(2, 4, 2, 4, 2, 32).max(axis=(2, 4))
    wanted = WORKINGS[row.op].compute(row, image, layer.read()[0])
    np.testing.assert_array_equal(largest, wanted)
    assert np.abs(wanted).max() < 2**15


@pytest.mark.parametrize("quantizer", [None, "ste_sign"])
def test_gradients_pass_the_rounding(quantizer: str | None) -> None:
    layer = dense((6, 3), quantizer)
    inputs = tf.constant(np.random.default_rng(2).normal(0, 1, (4, 6)), tf.float32)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(inputs)[:, 1])
    gradient = tape.gradient(loss, layer.latent).numpy()
    values = inputs.numpy() if quantizer is None else np.where(inputs.numpy() >= 0, 1, -1)
    wanted = np.zeros((6, 3))
    wanted[:, 1] = values.sum(axis=0) / layer.steps().numpy()[1]
    np.testing.assert_allclose(gradient, wanted, rtol=1e-4)


@pytest.mark.parametrize("shape", [(3, 3, 3, 32), (40, 7)])
def test_weights_are_written_as_they_were_read(shape: tuple[int, ...]) -> None:
    layers: list[OwnWeights] = []
    for seed in (1, 2):
        layer = OwnWeights(shape, seed)
        layer.build(None)
        layers.append(layer)
    weights, steps = layers[0].read()
    layers[1].write(weights, steps)
    again, step_again = layers[1].read()
    np.testing.assert_array_equal(again, weights)
    np.testing.assert_allclose(step_again, steps, rtol=1e-6)


def test_a_layer_is_made_again_from_its_config() -> None:
    stem = own_stem(stem_layer(), None, 4, "stem")
    assert OwnStem.from_config(stem.get_config()).get_config() == stem.get_config()
    last = dense((4, 2), "ste_sign")
    assert OwnDense.from_config(last.get_config()).get_config() == last.get_config()


def test_sums_of_a_stem_fit_a_stage() -> None:
    for count in range(1, 7 * 7 * 4 + 1):
        most = count * 255 * 127
        shift = stem_shift(count)
        assert (most + (1 << shift >> 1)) >> shift <= 2**15 - 1
        assert shift == 0 or most >> (shift - 1) >= 2**15 - 1


def test_only_the_ends_change() -> None:
    plain, own = lay_out("resnet", (32, 32, 3), 10), lay_out("resnet", (32, 32, 3), 10, None, None,
                                                             None, 8, 8)  # fmt: skip
    assert [layer.op.name for layer in (own.layers[0], own.layers[-1])] == [
        "stem8", "dense_stream8",
    ]  # fmt: skip
    assert own.layers[1:-1] == plain.layers[1:-1]
    assert own.macs == plain.macs
    assert own.bits == plain.bits - plain.layers[0].bits - plain.layers[-1].bits
    assert own.trunk_layers(1) == 2
