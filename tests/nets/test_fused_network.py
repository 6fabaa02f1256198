"""The fused operations compute what the Keras models do: forward, and back to bfloat16's rounding.

Keras' sums are exact, and so are these. Its batch norm rounds a variance to 24 bits, which tips
about one in a thousand of the stream's values to the next 256th; a bit that turns for it turns
others behind it. So in a shallow residual network gradients agree less closely than in one of
thresholds, where nothing tips.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from rbnn.compiler import CompilerError
from rbnn.nets.architectures import lay_out
from rbnn.nets.build import SharedNetwork, TaskInput
from rbnn.nets.framework import tf
from rbnn.nets.fused import choose, nodes
from rbnn.nets.fused.choose import training_models
from rbnn.nets.schemes import SCHEMES
from rbnn.nets.topology import Topology
from rbnn.spec.layout import Adapter

SECRETS = {"a": bytes(range(32)), "b": bytes(range(32, 64))}
CLASSES = 6
BFLOAT16_STEP = 2.0**-8
"""A rounding is at most half of it; a gradient passes about one a layer."""
TIPPED = 0.1

NETWORKS = {
    "vgg": ("vgg", 16, 4, None),
    "resnet": ("resnet", 16, 4, 2),
    "reactnet": ("reactnet", 32, 2, 2),
    "wide": ("resnet", 48, 3, 3),
    "vgg8": ("vgg", 16, 4, None, 8, 8),
    "resnet8": ("resnet", 32, 4, 2, 8, 8),
}
"""Of the last two, the first and the last layer have 8-bit weights."""
RECTANGLES = {"vgg": (49, 10, 3), "resnet": (49, 10, 3), "reactnet": (20, 30, 3)}
LIKE_WIDE = pytest.param("resnet", marks=pytest.mark.full)
""""wide" has the same operations."""


def network_of(topology: Topology, scheme: str = "xor", halved: bool = True) -> SharedNetwork:
    """Keyed, with values of its own in every variable."""
    tasks = [
        TaskInput("a", CLASSES, 3, Adapter.IDENTITY, [120] * 3),
        TaskInput("b", CLASSES - 1, 1, Adapter.REPLICATE, [90] * 3),
    ]
    network = SharedNetwork(topology, tasks, scheme, seed=3, halved=halved)
    if scheme != "none":
        network.set_secrets(SECRETS, bytes(16))
    generator = np.random.default_rng(1)
    for own in network.own.values():
        for variable in own.trainable_variables:
            noise = generator.normal(0, 0.1, variable.shape).astype(np.float32)
            variable.assign(variable + noise)
    return network


def topology_of(name: str, shape: tuple[int, int, int] = (16, 16, 3)) -> Topology:
    return lay_out(NETWORKS[name][0], shape, CLASSES, *NETWORKS[name][1:])


def pair_of(
    name: str, scheme: str = "xor", shape: tuple[int, int, int] = (16, 16, 3)
) -> tuple[SharedNetwork, SharedNetwork]:
    """Two of the same values: one for the fused operations, one in float32."""
    topology = topology_of(name, shape)
    return network_of(topology, scheme), network_of(topology, scheme, halved=False)


@functools.cache
def shared_pair(name: str, scheme: str = "xor") -> tuple[SharedNetwork, SharedNetwork]:
    """:func:`pair_of` for tests that change nothing: a step reads no moving average."""
    return pair_of(name, scheme)


def variables_of(network: SharedNetwork, task: str) -> list[Any]:
    kernels = [layer.latent_kernel for layer in network.shared.values()]
    return kernels + network.own[task].trainable_variables


def one_step(
    network: SharedNetwork, task: str, batch: int, fused: bool
) -> tuple[npt.NDArray[np.float32], list[npt.NDArray[np.float32]]]:
    """Logits, and the gradients of a loss; without a graph, which takes longer than the step."""
    models = training_models(network, fused)
    assert models.fused is fused
    generator = np.random.default_rng(2)
    channels = next(one.channels for one in network.tasks if one.name == task)
    sides = network.topology.input_shape[:2]
    images = generator.integers(0, 256, (batch, *sides, channels), dtype=np.uint8)
    labels = tf.constant(generator.integers(0, CLASSES - 1, batch))
    with tf.GradientTape() as tape:
        logits = models.logits({task: tf.constant(images)})[task]
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
    gradients = tape.gradient(losses, variables_of(network, task))
    return logits.numpy(), [gradient.numpy() for gradient in gradients]


def assert_close(
    found: list[npt.NDArray[np.float32]], wanted: list[npt.NDArray[np.float32]], tolerance: float
) -> None:
    largest = max(np.linalg.norm(one) / np.sqrt(one.size) for one in wanted)
    for number, (one, other) in enumerate(zip(found, wanted, strict=True)):
        assert one.shape == other.shape
        # What is 0 but for rounding, as an offset's gradient in front of a batch norm, stays small.
        rest = BFLOAT16_STEP * largest * np.sqrt(other.size)
        assert np.linalg.norm(one - other) <= tolerance * np.linalg.norm(other) + rest, number


@pytest.mark.parametrize("batch", [2, 7, 33, 64])
@pytest.mark.parametrize("name", ["vgg", "vgg8"])
def test_thresholds_agree_to_the_rounding_of_gradients(name: str, batch: int) -> None:
    ours, keras = shared_pair(name)
    logits, gradients = one_step(ours, "a", batch, fused=True)
    wanted_logits, wanted = one_step(keras, "a", batch, fused=False)
    np.testing.assert_allclose(logits, wanted_logits, atol=1e-4)
    assert_close(gradients, wanted, 4 * BFLOAT16_STEP)


@pytest.mark.parametrize("batch", [7, pytest.param(33, marks=pytest.mark.full), 64])
@pytest.mark.parametrize("name", [LIKE_WIDE, "reactnet", "wide", "resnet8"])
def test_streams_agree_but_for_what_tips(name: str, batch: int) -> None:
    ours, keras = shared_pair(name)
    logits, gradients = one_step(ours, "b", batch, fused=True)
    wanted_logits, wanted = one_step(keras, "b", batch, fused=False)
    assert np.linalg.norm(logits - wanted_logits) <= TIPPED * np.linalg.norm(wanted_logits)
    assert_close(gradients, wanted, TIPPED)


@pytest.mark.parametrize("name", ["vgg", LIKE_WIDE, "reactnet"])
def test_rectangles_with_odd_sides_agree_too(name: str) -> None:
    ours, keras = pair_of(name, shape=RECTANGLES[name])
    logits, gradients = one_step(ours, "b", 33, fused=True)
    wanted_logits, wanted = one_step(keras, "b", 33, fused=False)
    assert np.linalg.norm(logits - wanted_logits) <= TIPPED * np.linalg.norm(wanted_logits)
    assert_close(gradients, wanted, 4 * BFLOAT16_STEP if name == "vgg" else TIPPED)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_scheme_has_its_kernels(scheme: str) -> None:
    ours, keras = shared_pair("vgg", scheme)
    for task in ("a", "b"):
        logits, gradients = one_step(ours, task, 16, fused=True)
        wanted_logits, wanted = one_step(keras, task, 16, fused=False)
        np.testing.assert_allclose(logits, wanted_logits, atol=1e-4)
        assert_close(gradients, wanted, 4 * BFLOAT16_STEP)


@pytest.mark.parametrize("name", ["vgg", LIKE_WIDE, "reactnet", "wide", "vgg8", "resnet8"])
def test_neither_threads_nor_repetition_change_a_bit(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, _ = shared_pair(name)
    found = []
    for threads in (1, 2, 4, 2):
        monkeypatch.setattr("rbnn.nets.fused.body.threads", lambda threads=threads: threads)
        found.append(one_step(network, "a", 40, fused=True))
    for logits, gradients in found[1:]:
        np.testing.assert_array_equal(logits, found[0][0])
        for one, other in zip(gradients, found[0][1], strict=True):
            np.testing.assert_array_equal(one, other)


def test_latent_values_outside_the_estimator_get_no_gradient() -> None:
    network = network_of(topology_of("vgg"))
    kernel = network.shared[1].latent_kernel
    values = kernel.numpy()
    values[0, 0, :2] = 1.5
    kernel.assign(values)
    _, gradients = one_step(network, "a", 16, fused=True)
    assert not gradients[1][0, 0, :2].any()
    assert gradients[1][0, 0, 2:].any()


def test_a_network_without_a_key_fails() -> None:
    topology = lay_out("vgg", (16, 16, 3), CLASSES, 16, 4, None)
    network = SharedNetwork(
        topology, [TaskInput("a", CLASSES, 3, Adapter.IDENTITY, [0] * 3)], halved=True
    )
    with pytest.raises(tf.errors.InternalError, match="no key"):
        one_step(network, "a", 8, fused=True)


def test_what_the_operations_lack_is_left_to_keras() -> None:
    narrow = lay_out("vgg", (16, 16, 3), CLASSES, 8, 4, None)
    assert nodes.nodes_of(narrow) is None
    assert not training_models(network_of(narrow)).fused
    ours, float32 = pair_of("vgg")
    assert not training_models(float32).fused
    ours.shared_batch = True
    assert not training_models(ours).fused


def test_without_a_compiler_one_note_and_keras(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def none() -> None:
        raise CompilerError("No C compiler on the PATH.", "Install one.")

    monkeypatch.setattr(choose, "operations", none)
    choose._built.cache_clear()
    try:
        network = network_of(topology_of("vgg"))
        assert not training_models(network).fused
        assert not training_models(network).fused
        assert capsys.readouterr().err.count("No C compiler") == 1
    finally:
        choose._built.cache_clear()
