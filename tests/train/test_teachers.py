"""What a network learns from: labels, and the single-task networks' answers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from rbnn.errors import RbnnError
from rbnn.nets.framework import tf
from rbnn.runs.config import Distillation, RunConfig
from rbnn.runs.figures import read_figures
from rbnn.runs.run import Run
from rbnn.runs.settings import Settings
from rbnn.runs.start import configure, write_run
from rbnn.tasks import TaskData
from rbnn.train.evaluate import predict_logits
from rbnn.train.session import train
from rbnn.train.teachers import Teachers, task_loss
from rbnn.train.transfer import load_network

Floats = npt.NDArray[np.float64]
LABELS = np.array([2, 0, 1, 2])


def log_softmax(logits: Floats) -> Floats:
    shifted = logits - logits.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))


@pytest.mark.parametrize(("weight", "temperature"), [(0.3, 1.0), (0.5, 2.0), (1.0, 4.0)])
def test_the_loss_is_that_of_the_paper(weight: float, temperature: float) -> None:
    generator = np.random.default_rng(1)
    logits, answers = generator.normal(0, 3, (2, len(LABELS), 3))
    given, taken = log_softmax(answers / temperature), log_softmax(logits / temperature)
    divergence = (np.exp(given) * (given - taken)).sum(axis=1).mean()
    hard = -log_softmax(logits)[np.arange(len(LABELS)), LABELS].mean()
    found = task_loss(
        tf.constant(logits, tf.float32),
        tf.constant(LABELS),
        tf.constant(answers, tf.float32),
        Distillation(weight=weight, temperature=temperature),
    )
    assert float(found) == pytest.approx(
        (1 - weight) * hard + weight * temperature**2 * divergence, rel=1e-5
    )


def test_a_student_that_answers_as_its_teacher_loses_nothing() -> None:
    logits = tf.random.stateless_normal((4, 3), seed=(1, 2))
    distill = Distillation(weight=1, temperature=2)
    assert float(task_loss(logits, tf.constant(LABELS), logits, distill)) == pytest.approx(0)


def test_without_a_teacher_the_loss_is_cross_entropy() -> None:
    logits = tf.zeros((4, 3))
    assert float(task_loss(logits, tf.constant(LABELS), None, None)) == pytest.approx(np.log(3))


@pytest.mark.usefixtures("eager")
def test_single_task_networks_are_trained_first_and_teach_the_shared_one_wherever_it_is(
    begin: Callable[..., Run], data: list[TaskData], tmp_path: Path
) -> None:
    run = begin(depth=3, epochs=1, distill=0.5, baseline=True)
    rows = train(run, data)
    config = run.config()
    for task, row in zip(config.tasks, rows, strict=True):
        teacher = run.teacher(task)
        assert teacher.folder.resolve() == run.baseline(task.name).folder.resolve()
        assert teacher.config().distill is None
        assert teacher.parameters_file.stat().st_mtime <= run.parameters_file.stat().st_mtime
        assert row.own == read_figures(teacher)[-1].tasks[task.name].test_accuracy
        assert read_figures(teacher)[-1].steps == read_figures(run)[-1].steps
    moved = Run(run.folder.rename(tmp_path / "elsewhere"))
    assert all(moved.teacher(task).config_file.exists() for task in moved.config().tasks)


@pytest.mark.usefixtures("eager")
def test_teachers_from_elsewhere_are_not_trained_again(trained: Run, data: list[TaskData]) -> None:
    run = Run(trained.folder.parent / "pupil")
    write_run(run, taught(data, trained).model_copy(update={"epochs": None, "steps": 1}))
    assert [row.own for row in train(run, data)] == [None, None]
    assert not (run.folder / "baseline").exists()


def taught(data: list[TaskData], teacher: Run) -> RunConfig:
    config = configure(data, Settings(width=32, distill=0.5, baseline=True), b"m" * 16)
    entries = (task.model_copy(update={"teacher": str(teacher.folder)}) for task in config.tasks)
    return config.model_copy(update={"tasks": tuple(entries), "baseline": False})


def test_a_teacher_answers_nearly_as_it_was_measured(trained: Run, data: list[TaskData]) -> None:
    run = Run(trained.folder.parent / "student")
    write_run(run, taught(data, trained))
    colour = data[0]
    batches = {task.name: (tf.constant(task.test.images), None) for task in data}
    answers = tf.function(Teachers(run).answer)(batches)
    measured = predict_logits(load_network(trained), "colour", colour.test.images)
    same = np.mean(answers["colour"].numpy().argmax(axis=1) == measured.argmax(axis=1))
    assert same > 0.9


def test_a_teacher_of_other_classes_is_refused(trained: Run, data: list[TaskData]) -> None:
    config = taught(data, trained)
    other = config.tasks[0].model_copy(update={"labels": ("a", "b", "c", "d")})
    run = Run(trained.folder.parent / "stranger")
    write_run(run, config.model_copy(update={"tasks": (other, *config.tasks[1:])}))
    with pytest.raises(RbnnError, match="does not know the classes of task colour"):
        Teachers(run)


def test_a_teacher_that_is_not_trained_is_refused(
    begin: Callable[..., Run], data: list[TaskData]
) -> None:
    from rbnn.train.trainer import Trainer

    with pytest.raises(RbnnError, match="baseline/colour is not a run folder"):
        Trainer(begin(distill=0.5, baseline=True), data)
