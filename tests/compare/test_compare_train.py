"""A comparison from scratch: stopped, continued and extended, on two sets of a few images."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from random_comparison import random_measured, random_plan

from rbnn.compare.choice import ComparisonChoice
from rbnn.compare.compare import compare_networks
from rbnn.compare.jobs import Job
from rbnn.compare.train import is_finished, narrowed, prepare
from rbnn.container.errors import ExportError
from rbnn.errors import RbnnError
from rbnn.nets.framework import tf
from rbnn.runs.errors import TrainingInterruptedError, TrainingPausedError
from rbnn.runs.run import Run
from rbnn.runs.settings import Settings
from rbnn.runs.start import configure
from rbnn.tasks import TaskData
from rbnn.tasks.load import load


def write_set(folder: Path, classes: tuple[str, ...]) -> str:
    """Grey noise whose brightness tells the class; returns its spec."""
    rng = np.random.default_rng(len(classes))
    for split, count in (("train", 8), ("test", 4)):
        for number, name in enumerate(classes):
            place = folder / split / name
            place.mkdir(parents=True)
            for index in range(count):
                level = 200 * number // (len(classes) - 1)
                pixels = rng.integers(level, level + 56, (32, 32), dtype=np.uint8)
                Image.fromarray(pixels).save(place / f"{index}.png")
    return f"{folder.name}={folder}"


@pytest.fixture
def sets(tmp_path: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Two, whose comparisons draw nothing: that is for test_compare_report.py."""
    monkeypatch.setattr("rbnn.compare.report._draw", lambda *_: {})
    return [
        write_set(tmp_path / "one", ("dark", "light")),
        write_set(tmp_path / "two", ("black", "grey", "white")),
    ]


def test_all_networks_see_the_same_samples_for_as_long(tmp_path: Path, sets: list[str]) -> None:
    data = [load(spec) for spec in sets]
    settings = Settings(
        width=8, depth=3, epochs=3, sampling=1.0, batch=4, distill=0.5, baseline=True
    )
    config = configure(data, settings, bytes(16))
    shared = narrowed(config, tmp_path, Job("xor", "xor", ("one", "two"), 1), config.planned_steps)
    alone = narrowed(config, tmp_path, Job("single", "none", ("two",), 1), config.planned_steps)
    assert [task.batch for task in shared.tasks] != [4, 4]
    assert alone.batch == alone.tasks[0].batch == shared.tasks[1].batch
    assert alone.planned_steps == shared.planned_steps == config.planned_steps
    assert (alone.scheme, alone.distill, alone.tasks[0].teacher) == ("none", None, None)
    run = Run(tmp_path / "shared" / "xor" / "seed-1")
    taught = run.teacher(shared.tasks[1]).folder.resolve()
    assert taught == (tmp_path / "single" / "two" / "seed-1").resolve()


def test_networks_that_share_under_keys_have_the_trunk(tmp_path: Path, sets: list[str]) -> None:
    settings = Settings(architecture="resnet", width=8, depth=3, steps=2, batch=4, trunk=2)
    config = configure([load(spec) for spec in sets], settings, bytes(16))
    both = ("one", "two")
    jobs = [Job(scheme, scheme, both, 1) for scheme in ("xor", "sign", "permute", "none")]
    jobs.append(Job("single", "none", ("two",), 1))
    found = [narrowed(config, tmp_path, job, 2).trunk for job in jobs]
    assert found == [2, 2, 2, 0, 0]
    assert config.single_task("one", 2).trunk == 0


def test_a_half_made_run_folder_is_made_again(tmp_path: Path, sets: list[str]) -> None:
    data = [load(spec) for spec in sets]
    plan = random_plan(("cifar", "mnist"))  # only its settings are used
    job = Job("xor", "xor", ("one", "two"), 1)
    run = prepare(tmp_path, plan, job, data)
    before = run.config().model_id
    assert prepare(tmp_path, plan, job, data).config().model_id == before
    run.secrets_file.unlink()
    again = prepare(tmp_path, plan, job, data).config().model_id
    assert again != before
    assert set(run.secrets()) == {"one", "two"}
    run.checkpoint_folder.mkdir()
    run.secrets_file.unlink()
    assert prepare(tmp_path, plan, job, data).config().model_id == again
    assert not run.secrets_file.exists()


def test_more_wrong_secrets_are_measured_again() -> None:
    plan = random_plan()
    device = next(job for job in plan.jobs if job.is_device_network)
    assert is_finished(random_measured(device), device, plan)
    more = plan.model_copy(update={"wrong_secrets": 21})
    assert not is_finished(random_measured(device), device, more)
    assert is_finished(random_measured(plan.jobs[0]), plan.jobs[0], more)
    assert not is_finished(None, device, plan)


def test_no_compiler_is_told_before_training(
    tmp_path: Path, sets: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def none() -> str:
        raise ExportError("No C compiler on the PATH.")

    monkeypatch.setattr("rbnn.compare.train.compiler", none)
    choice = ComparisonChoice({"width": 8, "depth": 3, "steps": 2, "batch": 4}, (1,), ("xor",))
    with pytest.raises(ExportError, match="No C compiler"):
        compare_networks(tmp_path / "out", ",".join(sets), choice, lambda _: None)
    assert not (tmp_path / "out" / "single").exists()


@pytest.mark.usefixtures("eager")
@pytest.mark.slow
def test_a_stopped_comparison_goes_on(
    tmp_path: Path, sets: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from rbnn.train import session

    trained: list[str] = []
    real = session.fit

    def fit(run: Run, data: Sequence[TaskData], title: str, **more: object) -> int:
        if len(trained) == 2:
            raise TrainingInterruptedError("Stopped.", "rbnn train --resume RUN")
        trained.append("/".join(run.folder.parts[-3:]))
        return real(run, data, title, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(session, "fit", fit)
    out = tmp_path / "out"
    settings = {"width": 8, "depth": 3, "steps": 2, "batch": 4, "distill": 0.5}
    choice = ComparisonChoice(settings, (1,), ("xor",), (1, 2), 2)
    with pytest.raises(TrainingInterruptedError, match=r"bench accuracy --out"):
        compare_networks(out, ",".join(sets), choice, lambda _: None)
    assert trained == ["single/one/seed-1", "single/two/seed-1"]
    first = (out / "single/one/seed-1/measured.json").stat().st_mtime_ns

    monkeypatch.setattr(session, "fit", real)
    figures = compare_networks(out, None, ComparisonChoice(), lambda _: None)
    assert (out / "single/one/seed-1/measured.json").stat().st_mtime_ns == first
    assert figures.missing == ()
    one, two = figures.tasks
    assert (one.samples, two.samples) == (8, 12)
    assert len(two.wrong_secrets[1].accuracies) == 2
    assert two.integers[1].agreement >= 0.9
    assert figures.steps == 2
    assert figures.flash[1].shared < figures.flash[1].separate

    with pytest.raises(RbnnError, match="--steps 2, not 3"):
        compare_networks(out, None, ComparisonChoice({"steps": 3}), lambda _: None)
    more = compare_networks(out, None, ComparisonChoice(schemes=("none",)), lambda _: None)
    assert set(more.tasks[0].networks) == {"single", "xor", "none"}
    assert json.loads((out / "accuracy.json").read_text())["missing"] == []


@pytest.mark.usefixtures("eager")
@pytest.mark.slow
def test_a_comparison_stops_at_its_time_and_goes_on_elsewhere(
    tmp_path: Path, sets: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    settings = {"width": 8, "depth": 3, "steps": 2, "batch": 4, "distill": 0.5}
    choice = ComparisonChoice(settings, (1,), ("xor",), (1, 2), 0)
    with pytest.raises(TrainingPausedError, match="before network 1 of 3") as stopped:
        compare_networks(
            out, ",".join(sets), choice, lambda _: None, until=datetime.now() - timedelta(1)
        )
    assert stopped.value.fix == f"rbnn bench accuracy --out {out}"
    moments = iter([False, True])
    with monkeypatch.context() as until:
        until.setattr("rbnn.compare.train.is_due", lambda until: next(moments))
        with pytest.raises(TrainingPausedError, match="before network 2 of 3"):
            compare_networks(out, None, ComparisonChoice(), lambda _: None)

    moved = out.rename(tmp_path / "moved")
    places = []
    for name in ("one", "two"):
        (tmp_path / "elsewhere").mkdir(exist_ok=True)
        places.append(f"{name}={(tmp_path / name).rename(tmp_path / 'elsewhere' / name)}")
    figures = compare_networks(moved, ",".join(places), ComparisonChoice(), lambda _: None)
    assert figures.missing == ()
    assert str(out) not in "".join(path.read_text() for path in moved.rglob("config.json"))


def brightness_model(levels: tuple[int, ...]) -> Any:
    """A float model that knows classes by the brightness of grey pictures."""
    layers = tf.keras.layers
    last = layers.Dense(len(levels))
    model = tf.keras.Sequential([layers.Input((32, 32, 1)), layers.GlobalAveragePooling2D(), last])
    centres = np.array(levels, np.float32)
    last.set_weights([centres[None] / 500, -(centres**2) / 1000])
    return model


@pytest.mark.usefixtures("eager")
def test_a_float_model_teaches_shared_and_single_task_networks(
    tmp_path: Path, sets: list[str]
) -> None:
    path = tmp_path / "model.h5"
    brightness_model((28, 128, 228)).save(path)
    out = tmp_path / "out"
    settings = {"width": 8, "depth": 3, "steps": 2, "batch": 4, "superpose": True}
    choice = ComparisonChoice({**settings, "teachers": {"two": str(path)}}, (1,), ("xor",), (1,), 0)
    lines: list[str] = []
    compare_networks(out, ",".join(sets), choice, lines.append)
    assert lines[0].startswith("two is taught by model.h5")
    path.unlink()
    assert str(path) not in (out / "benchmark.json").read_text()
    alone = Run(out / "single/two/seed-1").config()
    assert (alone.teachers, alone.distill) == ({"two": "model.h5"}, 0.5)
    (own,) = alone.tasks
    assert own.float_teacher is not None
    assert (out / "single/two/seed-1" / own.float_teacher.file).exists()
    shared = Run(out / "shared/xor/seed-1")
    assert shared.config().tasks[1].float_teacher is not None
    assert shared.config().tasks[0].teacher is not None
    again = ComparisonChoice({"teachers": {"two": str(path)}})
    assert compare_networks(out, None, again, lines.append).missing == ()
