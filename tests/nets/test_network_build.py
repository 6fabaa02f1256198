"""A whole network: Keras against the definition written out in numpy."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from rbnn.errors import RbnnError
from rbnn.nets import vgg
from rbnn.nets.build import SharedNetwork, TaskInput
from rbnn.nets.framework import tf
from rbnn.nets.topology import Topology
from rbnn.spec import stream
from rbnn.spec.layout import Adapter, Operator

SECRETS = {"colour": b"\1" * 32, "grey": b"\2" * 32}
MODEL = b"\3" * 16
TASKS = (
    TaskInput("colour", 5, 3, Adapter.IDENTITY, (120, 110, 100)),
    TaskInput("grey", 3, 1, Adapter.REPLICATE, (90, 90, 90)),
)
Values = npt.NDArray[np.float64]


@pytest.fixture(scope="module")
def network() -> SharedNetwork:
    """A small network with batch norms as training might leave them."""
    built = SharedNetwork(vgg.topology((8, 8, 3), 5, 32), TASKS, seed=7)
    built.set_secrets(SECRETS, MODEL)
    generator = np.random.default_rng(8)
    for norms in built.norms.values():
        for norm in norms.values():
            size = norm.beta.shape[0]
            norm.beta.assign(generator.normal(size=size) / 4)
            norm.moving_mean.assign(generator.normal(size=size) * 10)
            norm.moving_variance.assign(generator.uniform(50, 500, size))
            if norm.gamma is not None:
                norm.gamma.assign(generator.uniform(0.5, 2, size))
    return built


def compute(network: SharedNetwork, task: TaskInput, images: npt.NDArray[np.uint8]) -> Values:
    """The network in float64, straight from the definition."""
    topology: Topology = network.topology
    channels = topology.input_shape[2]
    x = images.astype(np.float64)
    if task.adapter is Adapter.REPLICATE:
        x = np.repeat(x, channels, axis=-1)
    x = x - np.array(task.offsets)
    norm = None

    def finish(x: Values) -> Values:
        if norm is None:
            return x
        scaled = (x - norm.moving_mean.numpy()) / np.sqrt(norm.moving_variance.numpy() + 1e-3)
        gamma = 1.0 if norm.gamma is None else norm.gamma.numpy()
        return np.asarray(gamma * scaled + norm.beta.numpy())

    for number, layer in enumerate(topology.layers):
        if layer.op is Operator.MAX_POOL:
            count, height, width, depth = x.shape
            x = x.reshape(count, height // 2, 2, width // 2, 2, depth).max(axis=(2, 4))
            continue
        x = finish(x)
        if norm is not None:
            x = np.where(x >= 0, 1.0, -1.0)
        stored = network.shared[number].latent_kernel.numpy() >= 0
        mask = stream.kernel_mask(SECRETS[task.name], MODEL, number, layer.kernel_shape)
        weights = 2.0 * (stored ^ mask) - 1
        if layer.op is Operator.DENSE:
            x = x.reshape(len(x), -1) @ weights
        else:
            value = 0 if layer.op is Operator.STEM else 1
            padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), constant_values=value)
            height, width = layer.in_shape[:2]
            x = sum(
                padded[:, i : i + height, j : j + width] @ weights[i, j]
                for i in range(3)
                for j in range(3)
            )
        norm = network.norms[task.name][number]
    return finish(x)[:, : task.classes]


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_keras_computes_the_definition(network: SharedNetwork, task: TaskInput) -> None:
    images = np.random.default_rng(9).integers(0, 256, (4, 8, 8, task.channels), np.uint8)
    logits = network.models[task.name](images, training=False).numpy()
    np.testing.assert_allclose(logits, compute(network, task, images), rtol=1e-4, atol=1e-4)


def test_kernels_are_shared_and_norms_are_not(network: SharedNetwork) -> None:
    colour, grey = (
        {id(variable): variable for variable in model.weights} for model in network.models.values()
    )
    shared = [colour[key] for key in colour.keys() & grey.keys()]
    assert len(shared) == len(network.shared) == 6
    bits = sum(int(np.prod(kernel.shape)) for kernel in shared)
    assert bits == network.topology.bits
    assert len(colour) == len(shared) + 5 * 3 + 4


def test_keys_are_not_among_the_weights(network: SharedNetwork) -> None:
    masks = [
        layer.kernel_quantizer._masks.by_task[task.name]
        for layer in network.shared.values()
        for task in TASKS
    ]
    assert len(masks) == 12
    for model in network.models.values():
        assert not {id(mask) for mask in masks} & {id(variable) for variable in model.weights}


def test_a_model_comes_back_from_its_config_without_its_keys(network: SharedNetwork) -> None:
    model = network.models["grey"]
    again = tf.keras.Model.from_config(model.get_config())
    again.set_weights(model.get_weights())
    image = np.zeros((1, 8, 8, 1), np.uint8)
    assert np.isnan(again(image).numpy()).all()
    for number in network.shared:
        shape = network.topology.layers[number].kernel_shape
        mask = stream.kernel_mask(SECRETS["grey"], MODEL, number, shape)
        again.get_layer(f"layer_{number}").set_key("grey", mask)
    np.testing.assert_array_equal(again(image), model(image))


def test_a_network_without_keys_computes_nan() -> None:
    unkeyed = SharedNetwork(vgg.topology((8, 8, 3), 5, 32), TASKS)
    logits = unkeyed.models["grey"](np.zeros((1, 8, 8, 1), np.uint8)).numpy()
    assert np.isnan(logits).all()


def test_first_values_follow_the_seed() -> None:
    one, two, other = (
        SharedNetwork(vgg.topology((8, 8, 3), 5, 32), TASKS, seed=seed).shared[2].latent_kernel
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one.numpy(), two.numpy())
    assert not np.array_equal(one.numpy(), other.numpy())


def test_default_width_has_the_bits_that_the_demo_promises() -> None:
    assert vgg.topology((32, 32, 1), 10).bits >= 400_000


@pytest.mark.parametrize("width", [0, -32, 48])
def test_widths_that_the_kernels_do_not_serve_are_refused(width: int) -> None:
    with pytest.raises(RbnnError, match="multiple of 32"):
        vgg.topology((32, 32, 3), 10, width)


def test_sides_that_do_not_halve_three_times_are_refused() -> None:
    with pytest.raises(RbnnError, match="multiples of 8"):
        vgg.topology((28, 28, 1), 10)
