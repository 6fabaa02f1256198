"""Int8 networks are trained as the shared one is: its teachers, its weights, its sub-batches."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from small_peers import use_small_networks

from rbnn.nets.framework import tf
from rbnn.peers import train
from rbnn.peers.fit import Lesson, fit, mean_accuracy
from rbnn.peers.jobs import described, jobs
from rbnn.peers.plan import PeerSettings, make_plan
from rbnn.peers.shapes import trunk_shape
from rbnn.runs.config import Distillation, FloatTeacher, RunConfig
from rbnn.runs.run import Run
from rbnn.tasks import TaskData


class Contrary:
    """A teacher that always answers with the last class."""

    def __init__(self, *about: object) -> None:
        self.about = about
        self.seen: list[Any] = []

    def answer(self, images: tf.Tensor) -> tf.Tensor:
        self.seen.append((images.dtype, images.shape))
        return tf.one_hot(tf.fill(images.shape[:1], 3), 4) * 10.0


@pytest.mark.slow
def test_a_teacher_teaches_its_head_of_the_trunk(
    tmp_path: Path, data: Sequence[TaskData], monkeypatch: pytest.MonkeyPatch
) -> None:
    use_small_networks(monkeypatch)
    teacher = Contrary()
    lesson = Lesson(
        shape=trunk_shape(described(data), 1),
        data=tuple(data),
        batches={"colour": 6, "sound": 4},
        weights={"colour": 1.0, "sound": 0.0},
        steps=40,
        rate=0.02,
        seed=1,
        teachers={"colour": teacher},  # type: ignore[dict-item]
        distillation=Distillation(weight=1.0, temperature=1.0),
    )
    network, seconds = fit(lesson, tmp_path, "trunk", "rbnn bench peers")
    assert seconds > 0
    assert set(teacher.seen) == {(tf.uint8, tf.TensorShape((6, 32, 32, 3)))}
    classes = len(data[0].labels)
    share = float((data[0].test.labels == classes - 1).mean())
    assert mean_accuracy(network, tuple(data[:1])) == pytest.approx(share)


def test_the_teachers_and_weights_of_the_run_are_taken(
    trained: Run, data: Sequence[TaskData], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train, "FloatTeaching", Contrary)
    config = trained.config()
    about = FloatTeacher(file="teachers/colour/a.h5", pixels="0..1", outputs="logits")
    tasks = (config.tasks[0].model_copy(update={"float_teacher": about}), config.tasks[1])
    update = {"tasks": tasks, "distill": 0.3, "weights": {"sound": 2.0}}
    taught = config.model_copy(update=update)

    class Taught(Run):
        def config(self) -> RunConfig:
            return taught

    run = Taught(trained.folder)
    plan = make_plan(run, PeerSettings(rates="0.01"))
    planned = jobs(plan, described(data), 50_000)
    bench = train.Bench(run, plan, data, tmp_path, 50_000, "")
    trunk = next(job for job in planned if job.row == "trunk")
    lesson = bench._lesson(trunk, tuple(data), 5, 0.01)
    assert list(lesson.teachers) == ["colour"]
    teacher = lesson.teachers["colour"]
    assert isinstance(teacher, Contrary)
    halved = config.precision == "bfloat16"
    assert teacher.about == (run.folder / "teachers/colour/a.h5", about, halved)
    assert lesson.halved == (
        halved and trunk.shape is not None and trunk.shape.filters[0] % 16 == 0
    )
    assert lesson.weights == {"colour": 1.0, "sound": 2.0}
    assert lesson.distillation == Distillation(weight=0.3, temperature=config.temperature)
    assert lesson.batches == {task.name: task.batch for task in config.tasks}
    sound = next(job for job in planned if job.row == "int8" and job.name == "sound")
    assert bench._lesson(sound, tuple(data[1:]), 5, 0.01).distillation is None


def test_equal_samples_are_divided_into_equal_sub_batches(trained: Run) -> None:
    plan = make_plan(trained, PeerSettings(samples=95))
    assert set(plan.batches.values()) == {10}
    assert plan.steps == 10 and plan.samples("sound") == 100
    assert plan.budget == ("samples", 95)
    assert "--samples 95" in plan.command(trained, Path("out"))
    usual = make_plan(trained, PeerSettings())
    config = trained.config()
    assert usual.steps == config.planned_steps
    assert usual.run_samples == {task.name: usual.steps * task.batch for task in config.tasks}


def test_a_run_that_builds_on_single_task_networks_has_drawn_twice_as_much(trained: Run) -> None:
    taught = trained.config().model_copy(update={"superpose": True})

    class Taught(Run):
        def config(self) -> RunConfig:
            return taught

    once = make_plan(trained, PeerSettings()).steps
    assert make_plan(Taught(trained.folder), PeerSettings()).steps == 2 * once
