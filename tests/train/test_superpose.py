"""Initial values of a shared network: the keyed sum of single-task networks."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from rbnn.nets.build import SharedNetwork
from rbnn.nets.framework import tf
from rbnn.nets.schemes import SCHEMES
from rbnn.runs.config import RunConfig
from rbnn.runs.errors import TrainingError
from rbnn.runs.run import Run
from rbnn.runs.settings import Settings
from rbnn.runs.start import configure
from rbnn.tasks import TaskData
from rbnn.train.superpose import SPREAD, superpose
from rbnn.train.trainer import Trainer
from rbnn.train.transfer import build_network, load_network

MODEL_ID = b"m" * 16


def config_of(data: list[TaskData], **settings: object) -> RunConfig:
    """The smallest network of the architecture."""
    depth = 2 if settings.get("architecture") == "reactnet" else 3
    chosen = Settings(width=32, depth=depth, **settings)  # type: ignore[arg-type]
    return configure(data, chosen, MODEL_ID)


def keyed(config: RunConfig) -> SharedNetwork:
    """A shared network with its first values and a secret for every task."""
    network = build_network(config)
    if config.scheme != "none":
        secrets = {task.name: bytes([number]) * 32 for number, task in enumerate(config.tasks)}
        network.set_secrets(secrets, MODEL_ID)
        network.turn_first_values(secrets.values(), MODEL_ID)
    return network


def single_task_network(config: RunConfig, task: str, seed: int) -> SharedNetwork:
    """A network of one task with all values at random, as if it had been trained."""
    alone = build_network(config.single_task(task, 1).model_copy(update={"seed": seed}))
    generator = np.random.default_rng(seed)
    for variable in alone.own[task].trainable_variables:
        variable.assign(generator.normal(1.0, 0.3, variable.shape))
    return alone


@pytest.mark.parametrize(
    ("architecture", "scheme"),
    [
        *(("vgg", scheme) for scheme in SCHEMES),
        ("reactnet", "xor"),
        *(pytest.param("reactnet", scheme, marks=pytest.mark.full) for scheme in SCHEMES[1:]),
    ],
)
def test_one_single_task_network_gives_the_same_network(
    data: list[TaskData], scheme: str, architecture: str
) -> None:
    config = config_of(data, scheme=scheme, architecture=architecture)
    shared, alone = keyed(config), single_task_network(config, "sound", 3)
    superpose(shared, {"sound": alone})
    images = tf.constant(data[1].train.images[:20])
    np.testing.assert_allclose(
        shared.models["sound"](images, training=True),
        alone.models["sound"](images, training=True),
        rtol=1e-4,
        atol=1e-4,
    )


def test_each_task_has_the_majority_of_its_bits(data: list[TaskData]) -> None:
    count = 7
    tasks = [replace(data[0], name=f"task{number}") for number in range(count)]
    config = config_of(tasks)
    shared = keyed(config)
    own = {
        task.name: single_task_network(config, task.name, seed) for seed, task in enumerate(tasks)
    }
    for alone in own.values():  # all weights count alike
        for layer in alone.shared.values():
            layer.latent_kernel.assign(tf.sign(layer.latent_kernel))
    superpose(shared, own)
    expected = 0.5 + math.comb(count - 1, (count - 1) // 2) / 2**count
    for name, alone in own.items():
        for number, layer in alone.shared.items():
            mine = shared.shared[number].task_kernel(name).numpy()
            theirs = layer.task_kernel(name).numpy()
            right = np.mean(mine == theirs)
            assert right == pytest.approx(expected, abs=4 / math.sqrt(theirs.size)), number


def test_a_task_that_counts_more_has_more_of_its_bits(data: list[TaskData]) -> None:
    tasks = [replace(data[0], name=f"task{number}") for number in range(3)]
    shared = keyed(config_of(tasks))
    own = {
        task.name: single_task_network(config_of(tasks), task.name, i)
        for i, task in enumerate(tasks)
    }
    for alone in own.values():
        for layer in alone.shared.values():
            layer.latent_kernel.assign(tf.sign(layer.latent_kernel))
    superpose(shared, own, {"task1": 2.5})  # more than the two others together
    for number, layer in own["task1"].shared.items():
        np.testing.assert_array_equal(
            shared.shared[number].task_kernel("task1"), layer.task_kernel("task1")
        )


def test_initial_values_have_one_size_and_stay_where_the_tasks_cancel(
    data: list[TaskData],
) -> None:
    config = config_of(data)
    shared = keyed(config)
    own = {task.name: single_task_network(config, task.name, 4) for task in data}
    number = 1
    before = shared.shared[number].latent_kernel.numpy()
    for alone in own.values():
        kernel = alone.shared[number].latent_kernel
        kernel.assign(tf.ones_like(kernel))
    superpose(shared, own)
    after = shared.shared[number].latent_kernel.numpy()
    key = [shared.shared[number].kernel_quantizer.keyed(tf.ones(before.shape), t) for t in own]
    balanced = (key[0] + key[1]).numpy() == 0
    assert 0.4 < balanced.mean() < 0.6
    np.testing.assert_array_equal(after[balanced], before[balanced])
    assert np.sqrt(np.mean(np.where(balanced, 0, after) ** 2)) == pytest.approx(SPREAD, rel=1e-3)


def test_bits_flipped_in_all_streams_flip_the_initial_values(data: list[TaskData]) -> None:
    config = config_of(data)
    plain, turned = keyed(config), keyed(config)
    own = {
        task.name: single_task_network(config, task.name, seed) for seed, task in enumerate(data, 5)
    }
    generator = np.random.default_rng(7)
    flips = {}
    for number, layer in turned.shared.items():
        shape = tuple(layer.latent_kernel.shape)
        flips[number] = generator.random(shape) < 0.5
        for task in own:
            key = layer.kernel_quantizer.keyed(tf.ones(shape), task).numpy() < 0
            layer.set_key(task, key ^ flips[number])
    for network in (plain, turned):
        superpose(network, own)
    for number, layer in plain.shared.items():
        other = turned.shared[number].latent_kernel.numpy()
        mirrored = np.where(flips[number], -other, other)
        np.testing.assert_allclose(mirrored, layer.latent_kernel.numpy(), rtol=1e-5)


def test_a_network_of_another_shape_is_refused(data: list[TaskData]) -> None:
    config = config_of(data)
    wider = single_task_network(config.model_copy(update={"width": 64}), "colour", 1)
    with pytest.raises(
        TrainingError, match="single-task network of colour and the shared network differ in shape"
    ):
        superpose(keyed(config), {"colour": wider})


@pytest.mark.usefixtures("eager")
def test_a_run_starts_from_its_teachers_and_continues_from_its_checkpoint(
    begin: Callable[..., Run], data: list[TaskData]
) -> None:
    run = begin(depth=3, superpose=True, baseline=True, epochs=1)
    for task in data:
        own = run.baseline(task.name)
        own.write_config(run.config().single_task(task.name, 2))
        Trainer(own, [task]).fit()

    taught = load_network(run.baseline("colour")).shared

    def agreement(trainer: Trainer) -> float:
        """With the bits of the first task's single-task network, in its hidden layers."""
        mine, theirs = (
            np.concatenate(
                [
                    layers[number].task_kernel("colour").numpy().ravel()
                    for number in list(layers)[:-1]
                ]
            )
            for layers in (trainer.network.shared, taught)
        )
        return float(np.mean(mine == theirs))

    trainer = Trainer(run, data)
    assert agreement(trainer) > 0.7
    trainer.fit()
    kernels = {n: layer.latent_kernel.numpy() for n, layer in trainer.network.shared.items()}
    again = Trainer(run, data)
    for number, layer in again.network.shared.items():
        np.testing.assert_array_equal(layer.latent_kernel.numpy(), kernels[number])
