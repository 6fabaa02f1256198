"""Whole networks of each architecture: Keras against the definition written out in numpy."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from numpy_network import NumpyNetwork

from rbnn.nets.architectures import ARCHITECTURES, lay_out
from rbnn.nets.build import SharedNetwork, TaskInput
from rbnn.nets.framework import tf
from rbnn.nets.padding import pad
from rbnn.spec import key_stream
from rbnn.spec.layout import Adapter, Cipher

SECRETS = {"colour": b"\1" * 32, "grey": b"\2" * 32}
MODEL = b"\3" * 16
TASKS = (
    TaskInput("colour", 5, 3, Adapter.IDENTITY, (120, 110, 100)),
    TaskInput("grey", 3, 1, Adapter.REPLICATE, (90, 90, 90)),
)


def build(architecture: str, width: int = 32, **options: object) -> SharedNetwork:
    """A small network with the values that training might leave."""
    topology = lay_out(architecture, (16, 16, 3), 5, width, 3)
    built = SharedNetwork(topology, TASKS, **{"seed": 7, **options})  # type: ignore[arg-type]
    generator = np.random.default_rng(8)
    for own in built.own.values():
        for number, norm in own.norms.items():
            size = norm.beta.shape[0]
            spread = np.sqrt(np.prod(topology.layers[number].kernel_shape[:-1]))
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
    return built


@pytest.fixture(scope="module", params=sorted(ARCHITECTURES))
def network(request: pytest.FixtureRequest) -> SharedNetwork:
    """One of each architecture, keyed."""
    built = build(request.param)
    built.set_secrets(SECRETS, MODEL)
    return built


def some_images(task: TaskInput, count: int = 6) -> npt.NDArray[np.uint8]:
    generator = np.random.default_rng(9)
    return generator.integers(0, 256, (count, 16, 16, task.channels), np.uint8)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_keras_computes_the_definition(network: SharedNetwork, task: TaskInput) -> None:
    images = some_images(task)
    logits = network.models[task.name](images, training=False).numpy()
    expected = NumpyNetwork(network, task, SECRETS[task.name], MODEL)(images)
    np.testing.assert_allclose(logits, expected, rtol=1e-4, atol=1e-4)


def test_kernels_are_shared_and_the_rest_is_not(network: SharedNetwork) -> None:
    colour, grey = (
        {id(variable): variable for variable in model.weights} for model in network.models.values()
    )
    shared = [colour[key] for key in colour.keys() & grey.keys()]
    assert len(shared) == len(network.shared)
    bits = sum(int(np.prod(kernel.shape)) for kernel in shared)
    assert bits == network.topology.bits
    own = network.own["colour"]
    stages = [own.norms, own.activations, own.signs]
    assert len(colour) == len(shared) + sum(
        len(layer.weights) for layers in stages for layer in layers.values()
    )


def test_every_variable_of_a_task_is_trained(network: SharedNetwork) -> None:
    images = some_images(TASKS[0], 32)
    own = network.own["colour"].trainable_variables
    kernels = [layer.latent_kernel for layer in network.shared.values()]
    with tf.GradientTape() as tape:
        logits = network.models["colour"](images, training=True)
        labels = tf.constant(np.arange(32) % 5)
        loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
    gradients = tape.gradient(loss, [*kernels, *own])
    for variable, gradient in zip([*kernels, *own], gradients, strict=True):
        assert np.abs(gradient.numpy()).max() > 0, variable.name


def test_keys_are_not_among_the_weights(network: SharedNetwork) -> None:
    masks = [
        layer.kernel_quantizer._masks.by_task[task.name]
        for layer in network.shared.values()
        for task in TASKS
    ]
    assert len(masks) == 2 * len(network.shared)
    for model in network.models.values():
        assert not {id(mask) for mask in masks} & {id(variable) for variable in model.weights}


def test_a_model_comes_back_from_its_config_without_its_keys(network: SharedNetwork) -> None:
    model = network.models["grey"]
    again = tf.keras.Model.from_config(model.get_config())
    again.set_weights(model.get_weights())
    images = some_images(TASKS[1])
    assert np.isnan(again(images).numpy()).all()
    for number in network.shared:
        layer = network.topology.layers[number]
        key = key_stream.stream_key(SECRETS["grey"], MODEL)
        mask = key_stream.kernel_mask(key, number, layer.kernel_shape, layer.packing)
        again.get_layer(f"layer_{number}").set_key("grey", mask)
    np.testing.assert_array_equal(again(images), model(images))


@pytest.mark.parametrize("scheme", ["xor", "sign", "permute"])
def test_the_layers_of_a_trunk_are_the_same_for_all_tasks(scheme: str) -> None:
    built = build("resnet", scheme=scheme, trunk_layers=2)
    assert min(built.shared) == 0 and len(built.shared) > 3

    def kernels(task: str) -> list[npt.NDArray[np.float32]]:
        return [layer.task_kernel(task).numpy() for layer in built.shared.values()]

    built.set_secrets(SECRETS, MODEL)
    colour, grey = kernels("colour"), kernels("grey")
    trunk = [number < 2 for number in built.shared]
    assert [np.array_equal(*pair) for pair in zip(colour, grey, strict=True)] == trunk
    # One secret alone, right or wrong, does not give the trunk's key.
    built.set_secrets({"grey": SECRETS["grey"]}, MODEL)
    alone = [np.array_equal(*pair) for pair in zip(kernels("grey"), grey, strict=True)]
    assert alone == [not of_trunk for of_trunk in trunk]
    built.set_secrets(SECRETS, MODEL, ["grey"])
    assert all(np.array_equal(*pair) for pair in zip(kernels("grey"), grey, strict=True))


def test_a_network_without_keys_computes_nan() -> None:
    for name in ARCHITECTURES:
        logits = build(name).models["grey"](some_images(TASKS[1])).numpy()
        assert np.isnan(logits).all()


def test_first_values_follow_the_seed() -> None:
    one, two, other = (build("vgg", seed=seed).shared[1].latent_kernel for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.numpy(), two.numpy())
    assert not np.array_equal(one.numpy(), other.numpy())


@pytest.mark.parametrize("name", sorted(ARCHITECTURES))
def test_masks_are_those_of_the_padded_kernels(name: str) -> None:
    built = build(name, width=40, cipher=Cipher.CHACHA8)
    built.set_secrets(SECRETS, MODEL)
    padded = pad(built.topology)
    for number, shared in built.shared.items():
        layer = padded.topology.layers[number]
        key = key_stream.stream_key(SECRETS["grey"], MODEL)
        whole = key_stream.kernel_mask(
            key, number, layer.kernel_shape, layer.packing, Cipher.CHACHA8
        )
        mask = np.where(padded.extract(number, whole), -1, 1)
        stored = np.where(shared.latent_kernel.numpy() >= 0, 1, -1)
        np.testing.assert_array_equal(shared.task_kernel("grey"), stored * mask)
    assert not np.isnan(built.models["grey"](some_images(TASKS[1])).numpy()).any()
