"""Converted networks: what they take is counted, and the interpreter finds what Keras finds."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import pytest
from small_peers import use_small_networks

from rbnn.cost.peers import int8_rate
from rbnn.nets.framework import tf
from rbnn.peers.build import build, normalise
from rbnn.peers.fit import classes
from rbnn.peers.jobs import described
from rbnn.peers.lite import read_lite
from rbnn.peers.quantize import Int8Network, quantise
from rbnn.peers.shapes import scaled, trunk_shape
from rbnn.peers.train import held_out
from rbnn.tasks import Split, TaskData


def graded(data: TaskData) -> TaskData:
    """A task of the same shape with pictures from black to white, which any network tells apart."""

    def part(split: Split) -> Split:
        levels = np.linspace(0, 255, len(split))[:, None, None, None]
        noise = np.random.default_rng(1).integers(-20, 21, split.images.shape)
        return Split(np.clip(levels + noise, 0, 255).astype(np.uint8), split.labels)

    return dataclasses.replace(data, train=part(data.train), test=part(data.test))


def test_flash_ram_and_instructions_of_a_known_network(data: Sequence[TaskData]) -> None:
    layers = tf.keras.layers
    image = layers.Input((32, 32, 3))
    inner = layers.Conv2D(4, 3, 2, "same")(image)
    inner = layers.Conv2D(8, 1, 1, "same")(inner)
    pooled = layers.GlobalAveragePooling2D()(inner)
    network = tf.keras.Model(image, layers.Dense(5, name="head_0")(pooled))
    generator = np.random.default_rng(1)
    for weight in network.trainable_variables:  # biases of zero would be left out
        weight.assign(generator.normal(0, 0.3, weight.shape))
    content = quantise(network, data[:1])
    found = read_lite(content)
    assert [(layer.kind, layer.macs) for layer in found.layers] == [
        ("stem", 27 * 4 * 256),
        ("conv", 4 * 8 * 256),
        ("dense", 8 * 5),
    ]
    weights = 27 * 4 + 4 * 8 + 8 * 5
    channels = 4 + 8 + 5  # each has a bias and a scale
    axes = 8  # of the average: a constant of two numbers
    activations = 5 * 8  # image, two convolutions, average, output: scale and zero point
    assert found.flash == weights + 8 * channels + axes + activations
    assert found.file == len(content) > found.flash
    # While the first convolution runs: its input and its output.
    assert found.ram == 32 * 32 * 3 + 16 * 16 * 4
    assert found.instructions == pytest.approx(
        int8_rate("stem") * 27 * 4 * 256 + int8_rate("conv") * 32 * 256 + int8_rate("dense") * 40,
        abs=1,
    )
    assert int8_rate("conv") == 1.6829


@pytest.mark.slow
def test_a_networks_flash_and_operations_are_known_before_it_is_converted(
    data: Sequence[TaskData], monkeypatch: pytest.MonkeyPatch
) -> None:
    use_small_networks(monkeypatch)
    data = [graded(task) for task in data]
    shapes = {
        "DS-CNN": (scaled("DS-CNN", 1, 1, [3]), data[1:]),
        "trunk": (trunk_shape(described(data), 1), data),
    }
    for name, (shape, tasks) in shapes.items():
        network = build(shape, 1)
        generator = np.random.default_rng(1)
        for weight in network.trainable_variables:  # biases, too
            weight.assign(weight + generator.normal(0, 0.3, weight.shape))
        for number, task in enumerate(tasks):  # so that no class always wins
            logits = network(normalise(task.test.images, shape.channels), training=False)
            own = logits[number] if len(tasks) > 1 else logits
            own = own[0] if isinstance(own, list) else own
            network.get_layer(f"head_{number}").bias.assign_sub(tf.reduce_mean(own, axis=0))
        content = quantise(network, tasks)
        found = read_lite(content)
        assert found.macs == shape.macs, name
        assert 0.5 * shape.flash_bound < found.flash <= shape.flash_bound, name
        int8 = Int8Network(content)
        for number, task in enumerate(tasks):
            images = task.test.images[:3]  # a batch of another size each time
            own = int8.predict(task.test.images, number)
            np.testing.assert_array_equal(int8.predict(images, number), own[:3])
            floats = classes(network, number, normalise(task.test.images, shape.channels))
            assert np.mean(own == floats) > 0.8, name
            assert len(set(floats)) > 1


def test_a_body_in_bfloat16_has_the_weights_and_almost_the_logits_of_the_whole_one(
    data: Sequence[TaskData],
) -> None:
    shape = scaled("ResNet-8", 1, 3, [4])
    halved, whole = build(shape, 1, halved=True), build(shape, 1)
    assert {weight.dtype for weight in halved.weights} == {tf.float32}
    images = normalise(data[0].test.images, 3)
    for one, other in zip(halved.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    found, exact = (np.asarray(network(images, training=True)) for network in (halved, whole))
    assert found.dtype == np.float32 and not np.array_equal(found, exact)
    np.testing.assert_allclose(found, exact, atol=0.05)


def test_pixels_reach_the_int8_network_unchanged(data: Sequence[TaskData]) -> None:
    images = np.arange(256, dtype=np.uint8).repeat(12).reshape(1, 32, 32, 3)
    floats = normalise(images, 3)
    assert floats.min() == -1 and floats.max() == 1
    grey = normalise(images[..., :1], 3)
    np.testing.assert_array_equal(grey[..., 0], grey[..., 2])


def test_trials_never_see_the_test_set(data: Sequence[TaskData]) -> None:
    for task in data:
        part = held_out(task, 5)
        size = len(task.train)
        assert len(part.test) == size // 10 and len(part.train) == size - size // 10
        joined = np.concatenate([part.train.images, part.test.images])
        assert {image.tobytes() for image in joined} == {
            image.tobytes() for image in task.train.images
        }
        again = held_out(task, 5)
        np.testing.assert_array_equal(part.test.images, again.test.images)
