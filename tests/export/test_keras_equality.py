"""Keras at inference and the exporter's integers: the same logits, whatever the architecture."""

from __future__ import annotations

import numpy as np
import pytest

from rbnn.engine.reference import Reference
from rbnn.export.export import NO_PROVIDER, make_container
from rbnn.nets.build import SharedNetwork
from rbnn.nets.framework import tf
from rbnn.runs.config import RunConfig, RunTask
from rbnn.spec.layout import LOGIT_FRACTION_BITS, Adapter
from rbnn.train.transfer import build_network, read_parameters

SECRETS = {"colour": b"\1" * 32, "grey": b"\2" * 32}
MODEL = b"\3" * 16


def make_config(architecture: str, width: int, trunk: int) -> RunConfig:
    tasks = tuple(
        RunTask(
            name=name,
            labels=tuple(f"{name}{k}" for k in range(classes)),
            input_channels=channels,
            adapter=Adapter.IDENTITY if channels == 3 else Adapter.REPLICATE,
            offsets=(120, 110, 100),
            source=name,
        )
        for name, classes, channels in (("colour", 5, 3), ("grey", 3, 1))
    )
    return RunConfig(
        tasks=tasks,
        architecture=architecture,
        width=width,
        depth=3,
        input_shape=(16, 16, 3),
        scheme="xor",
        cipher="chacha8",
        trunk=trunk,
        model_id=MODEL.hex(),
        seed=7,
        epochs=1,
        learning_rate=0.01,
    )


def scatter(network: SharedNetwork) -> None:
    """Values that training might leave."""
    generator = np.random.default_rng(8)
    for own in network.own.values():
        for number, norm in own.norms.items():
            size = norm.beta.shape[0]
            spread = np.sqrt(np.prod(network.topology.layers[number].kernel_shape[:-1]))
            spread *= 70 if number == 0 else 1
            norm.beta.assign(generator.normal(size=size) / 4)
            norm.moving_mean.assign(generator.normal(size=size) * spread / 4)
            norm.moving_variance.assign(generator.uniform(0.5, 2, size) * spread**2)
            if norm.gamma is not None:
                norm.gamma.assign(generator.uniform(-1, 2, size))
        for activation in own.activations.values():
            for value in (activation.point, activation.slope, activation.offset):
                value.assign(generator.normal(size=value.shape))
        for sign in own.signs.values():
            sign.threshold.assign(generator.normal(size=sign.threshold.shape))


@pytest.mark.parametrize(
    ("architecture", "width", "trunk"),
    [
        pytest.param("vgg", 32, 0, marks=pytest.mark.full),
        ("vgg", 40, 3),
        ("resnet", 32, 0),
        pytest.param("resnet", 40, 3, marks=pytest.mark.full),
        pytest.param("reactnet", 32, 0, marks=pytest.mark.full),
        ("reactnet", 40, 3),
    ],
)
def test_keras_and_integers_have_the_same_logits(architecture: str, width: int, trunk: int) -> None:
    config = make_config(architecture, width, trunk)
    network = build_network(config)
    scatter(network)
    network.set_secrets(SECRETS, MODEL)
    container = make_container(config, read_parameters(network), SECRETS, NO_PROVIDER)
    generator = np.random.default_rng(9)
    for number, task in enumerate(config.tasks):
        images = generator.integers(0, 256, (40, 16, 16, task.input_channels), dtype=np.uint8)
        keras = network.models[task.name](images, training=False).numpy()
        integers = Reference.open(container, number, SECRETS[task.name]).infer(images).logits
        np.testing.assert_allclose(integers / 2**LOGIT_FRACTION_BITS, keras, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("architecture", ["resnet", "reactnet"])
def test_what_saturates_on_the_device_saturates_in_keras(architecture: str) -> None:
    """A variance near zero before the logits, biases of a residual stage beyond 16 bits."""
    config = make_config(architecture, 32, 0)
    network = build_network(config)
    scatter(network)
    for own in network.own.values():
        own.norms[1].beta.assign(tf.linspace(-300.0, 300.0, 32))
        last = own.norms[max(own.norms)]
        last.moving_variance.assign(tf.zeros_like(last.moving_variance))
        last.gamma.assign(tf.ones_like(last.gamma))
    network.set_secrets(SECRETS, MODEL)
    container = make_container(config, read_parameters(network), SECRETS, NO_PROVIDER)
    images = np.random.default_rng(9).integers(0, 256, (40, 16, 16, 3), dtype=np.uint8)
    keras = network.models["colour"](images, training=False).numpy()
    integers = Reference.open(container, 0, SECRETS["colour"]).infer(images).logits
    np.testing.assert_allclose(integers / 2**LOGIT_FRACTION_BITS, keras, rtol=1e-3, atol=2e-2)
    assert (integers == 2**31 - 1).any()
    assert np.array_equal(integers.argmax(axis=1), keras.argmax(axis=1))
