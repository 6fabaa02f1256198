"""Training with the fused operations: the losses are those without, and runs resume bit for bit."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from tiny_tasks import make_task

from rbnn.nets.framework import tf
from rbnn.nets.fused.adam import apply_gradients
from rbnn.runs.run import Run
from rbnn.runs.settings import Settings
from rbnn.runs.start import start_run
from rbnn.tasks import TaskData
from rbnn.train.trainer import Trainer

NETWORKS = {"vgg": (16, 4, None), "resnet": (16, 4, 2), "reactnet": (16, 2, 2)}
STEPS = 8
LOSS_TOLERANCE = 0.1
"""Of the mean of a step's losses. Adam's first steps have the size of the rate whatever that of the
gradient, so that a gradient near 0 whose sign is rounded away turns bits."""


@pytest.fixture(scope="module")
def tasks() -> list[TaskData]:
    return [make_task("colour", 3, 4, 60, False), make_task("sound", 1, 3, 50, True)]


def begin(folder: Path, tasks: list[TaskData], architecture: str, **options: object) -> Run:
    width, depth, stages = NETWORKS[architecture]
    settings = Settings(
        architecture=architecture, width=width, depth=depth, stages=stages, batch=20,
        precision="bfloat16", learning_rate=0.002, steps=STEPS, **options,
    )  # fmt: skip
    secrets = {task.name: bytes([number]) * 32 for number, task in enumerate(tasks)}
    return start_run(folder, tasks, settings, secrets=secrets, model_id=bytes(16))


def losses_of(trainer: Trainer) -> list[float]:
    found = []
    for step in range(STEPS):
        before = trainer._loss_sums.numpy()
        trainer.advance(step / STEPS)
        found.append(float(np.mean(trainer._loss_sums.numpy() - before)))
    return found


@dataclass(frozen=True)
class Whole:
    """A run trained with the fused operations, and the losses of its steps."""

    run: Run
    trainer: Trainer
    losses: list[float]


@pytest.fixture(
    scope="module",
    params=["vgg", pytest.param("resnet", marks=pytest.mark.full), "reactnet"],
)
def whole(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, tasks: list[TaskData]
) -> Whole:
    """One of each architecture."""
    run = begin(tmp_path_factory.mktemp("run"), tasks, request.param)
    trainer = Trainer(run, tasks)
    return Whole(run, trainer, losses_of(trainer))


def test_the_losses_are_those_of_keras(whole: Whole, tasks: list[TaskData]) -> None:
    plain = Trainer(whole.run, tasks, fused=False)
    assert whole.trainer.fused and not plain.fused
    ours, keras = whole.losses, losses_of(plain)
    np.testing.assert_allclose(ours[:2], keras[:2], rtol=LOSS_TOLERANCE / 5)
    assert np.mean(ours) == pytest.approx(np.mean(keras), rel=LOSS_TOLERANCE)


def test_a_resumed_run_equals_one_without_a_break(
    whole: Whole, tmp_path: Path, tasks: list[TaskData]
) -> None:
    run = begin(tmp_path / "run", tasks, whole.run.config().architecture)
    first = Trainer(run, tasks)
    for step in range(STEPS // 2):
        first.advance(step / STEPS)
    first._checkpoints.save(STEPS // 2)
    second = Trainer(run, tasks)
    assert second.fused and second.steps == STEPS // 2
    for step in range(STEPS // 2, STEPS):
        second.advance(step / STEPS)
    for one, other in zip(whole.trainer._trained, second._trained, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())


def test_teachers_answer_with_them_too(tmp_path: Path, tasks: list[TaskData]) -> None:
    from rbnn.train.baseline import prepare_baseline

    run = begin(tmp_path / "run", tasks, "resnet", distill=0.5, baseline=True)
    for task in tasks:
        Trainer(prepare_baseline(run, task.name, 2), [task]).fit()
    fused, plain = Trainer(run, tasks), Trainer(run, tasks, fused=False)
    assert fused.fused
    np.testing.assert_allclose(losses_of(fused)[:2], losses_of(plain)[:2], rtol=LOSS_TOLERANCE)


def test_its_adam_is_that_of_keras() -> None:
    generator = np.random.default_rng(1)
    shapes = [(70000,), (3, 5), (7,)]
    firsts = [generator.uniform(-1, 1, shape).astype(np.float32) for shape in shapes]
    ours, keras = ([tf.Variable(value) for value in firsts] for _ in range(2))
    optimizers = [tf.keras.optimizers.Adam(0.05) for _ in range(2)]
    for optimizer, variables in zip(optimizers, (ours, keras), strict=True):
        optimizer.build(variables)
    for _ in range(4):
        gradients = [tf.constant(generator.normal(size=s).astype(np.float32)) for s in shapes]
        apply_gradients(optimizers[0], gradients, ours, clipped=1)
        optimizers[1].apply_gradients(zip(gradients, keras, strict=True))
        keras[0].assign(tf.clip_by_value(keras[0], -1.0, 1.0))
    assert optimizers[0].iterations.numpy() == 4
    for one, other in zip(ours, keras, strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(), atol=2e-6)
    for one, other in zip(optimizers[0].variables, optimizers[1].variables, strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(), atol=2e-6)
