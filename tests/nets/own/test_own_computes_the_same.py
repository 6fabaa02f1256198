"""A network of the user's own: Keras, the integer reference, the C engine and the fused training
operations compute the same."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from rbnn.engine.native import NativeEngine
from rbnn.engine.reference import Reference
from rbnn.export.export import NO_PROVIDER, make_container
from rbnn.nets.build import SharedNetwork
from rbnn.nets.framework import tf
from rbnn.nets.fused.body import FusedNetwork
from rbnn.nets.fused.library import operations
from rbnn.nets.fused.nodes import nodes_of
from rbnn.nets.own.builder import Net
from rbnn.nets.own.layers import Value
from rbnn.nets.own.stored import StoredNetwork
from rbnn.runs.config import RunConfig, RunTask
from rbnn.spec.layout import LOGIT_FRACTION_BITS, Adapter
from rbnn.train.transfer import build_network, read_parameters

SECRETS = {"colour": b"\1" * 32, "grey": b"\2" * 32}
MODEL = b"\3" * 16


def thresholds(net: Net) -> None:
    """Strides, an even window without padding, and a max pool whose windows overlap."""
    x = net.conv(net.stem(40, kernel=5, stride=2), 32, kernel=2)
    x = net.max_pool(net.conv(x, 64, kernel=3, pad=2), window=3, stride=2)
    net.dense(net.conv(x, 32, kernel=1))


def residual(net: Net) -> None:
    """Shortcuts over several layers, averaged and repeated; bits and stream read by several."""
    begin = net.stem(32, pool=2, stream=True, sign="thresholds")
    x = net.conv(begin, 32, shortcut=begin, activation="rprelu")
    x = net.conv(x, 64, kernel=5, shortcut=begin)
    y = net.conv(x, 128, stride=2, shortcut=begin, sign="thresholds")
    z = net.conv(x, 128, stride=2, shortcut=y)
    net.dense(net.average_pool(z))


def mixed(net: Net) -> None:
    """Thresholds in front of a stream, a max pool of a stream's bits, a dense layer over pixels."""
    x = net.conv(net.stem(32, kernel=3, pad=0, pool=2), 32)
    x = net.max_pool(net.conv(x, 32, stream=True, activation="rprelu"))
    x = net.conv(net.max_pool(x, window=2, stride=1), 64, kernel=2, pad=0, stream=True)
    net.dense(x)


def plain(net: Net) -> None:
    """What the fused operations take: a resnet with a wide window and thresholds in between."""
    x = net.conv(net.stem(32, pool=2), 32, stream=True)
    x = net.conv(x, 64, stride=2, shortcut=x, sign="thresholds")
    x = net.conv(x, 64, kernel=1, shortcut=x, activation="rprelu")
    net.dense(net.average_pool(x))


NETWORKS = (thresholds, residual, mixed, plain)


def make_config(build: Callable[[Net], None], ends: int = 1, trunk: int = 0) -> RunConfig:
    net = Net("mine", (16, 16, 3), 5, lambda: "mine.py")
    build(net)
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
        architecture="mine",
        network=StoredNetwork.of(net.topology(), "mine.py"),
        width=None,
        depth=None,
        input_shape=(16, 16, 3),
        scheme="xor",
        trunk=trunk,
        stem_bits=ends,
        classifier_bits=ends,
        model_id=MODEL.hex(),
        seed=7,
        epochs=1,
        learning_rate=0.01,
    )


def scatter(network: SharedNetwork) -> None:
    """Values that training might leave."""
    random = np.random.default_rng(8)
    for own in network.own.values():
        for number, norm in own.norms.items():
            size, layer = norm.beta.shape[0], network.topology.layers[number]
            spread = np.sqrt(layer.filter_weights) * (70 if number == 0 else 1)
            spread *= 40 / (16 if number == 0 else 1) if layer.op.own_weights else 1
            norm.beta.assign(random.normal(size=size) / 4)
            norm.moving_mean.assign(random.normal(size=size) * spread / 4)
            norm.moving_variance.assign(random.uniform(0.5, 2, size) * spread**2)
            if norm.gamma is not None:
                norm.gamma.assign(random.uniform(-1, 2, size))
        for layer in own.activations.values():
            for value in (layer.point, layer.slope, layer.offset):
                value.assign(random.normal(size=value.shape))
        for sign in own.signs.values():
            sign.threshold.assign(random.normal(size=sign.threshold.shape))


@pytest.mark.parametrize(("ends", "trunk"), [(1, 0), (8, 2)])
@pytest.mark.parametrize("build", NETWORKS)
def test_keras_the_reference_and_c_have_the_same_logits(
    build: Callable[[Net], None], ends: int, trunk: int
) -> None:
    config = make_config(build, ends, trunk)
    network = build_network(config)
    scatter(network)
    network.set_secrets(SECRETS, MODEL)
    container = make_container(config, read_parameters(network), SECRETS, NO_PROVIDER)
    assert container.topology.architecture == "mine"
    random = np.random.default_rng(9)
    for number, task in enumerate(config.tasks):
        images = random.integers(0, 256, (20, 16, 16, task.input_channels), dtype=np.uint8)
        keras = network.models[task.name](images, training=False).numpy()
        integers = Reference.open(container, number, SECRETS[task.name]).infer(images)
        native = NativeEngine(container).infer(number, SECRETS[task.name], images)
        for ours, theirs in zip(integers.layers, native.layers, strict=True):
            assert np.array_equal(ours, theirs)
        assert np.array_equal(integers.logits, native.logits)
        found = integers.logits / 2**LOGIT_FRACTION_BITS
        np.testing.assert_allclose(found, keras, rtol=2e-3, atol=2e-3)


@pytest.mark.parametrize("build", NETWORKS)
def test_fused_training_takes_only_what_it_computes_the_same(build: Callable[[Net], None]) -> None:
    config = make_config(build).model_copy(update={"precision": "bfloat16"})
    nodes = nodes_of(config.topology())
    assert (nodes is not None) == (build is plain)
    if nodes is None:
        return
    operations()
    network = build_network(config)
    network.set_secrets(SECRETS, MODEL)
    images = np.random.default_rng(9).integers(0, 256, (32, 16, 16, 3), dtype=np.uint8)
    given = {"colour": tf.constant(images)}
    fused = FusedNetwork(network, nodes)(given)["colour"].numpy()
    keras = network.models["colour"](given["colour"], training=True).numpy()
    assert np.corrcoef(fused.ravel(), keras.ravel())[0, 1] > 0.98


def test_a_value_of_another_network_is_refused() -> None:
    one, two = (Net("mine", (16, 16, 3), 5, lambda: "mine.py") for _ in range(2))
    other: Value = one.stem(32)
    two.stem(32)
    with pytest.raises(Exception, match="conv reads a value that is no layer of this network"):
        two.conv(other, 32)
