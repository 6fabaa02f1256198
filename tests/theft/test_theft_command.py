"""``rbnn bench theft`` on two tiny tasks: it robs, stops, continues, and says what it cannot do."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from rbnn.cli.main import build
from rbnn.errors import RbnnError
from rbnn.runs.config import RunConfig
from rbnn.runs.errors import TrainingInterruptedError
from rbnn.runs.run import Run
from rbnn.tasks import TaskData
from rbnn.theft import experiment as theft_bench
from rbnn.theft import thief as theft_module
from rbnn.theft.starts import Start
from rbnn.train.trainer import Trainer


def bench(run: Run, out: Path, *options: str) -> Result:
    usual = ["--victim", "colour", "--shares", "10", "--seeds", "1", "--steps", "2"]
    return CliRunner().invoke(
        build(), ["bench", "theft", str(run.folder), "--out", str(out), *usual, *options]
    )


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch, data: Sequence[TaskData]) -> None:
    """The tiny tasks are found by name."""

    def find(config: RunConfig, progress: object = None) -> list[TaskData]:
        names = [task.name for task in config.tasks]
        return [task for task in data if task.name in names]

    monkeypatch.setattr(theft_bench, "load_data", find)


@pytest.mark.usefixtures("known", "eager")
def test_it_stops_and_continues_and_robs_from_every_start(
    trained: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted: list[str] = []
    fit = Trainer.fit

    def counted(trainer: Trainer, until: datetime | None = None) -> None:
        fitted.append(trainer.run.folder.name)
        if len(fitted) == 2:
            raise TrainingInterruptedError("Stopped.")
        fit(trainer, until)

    monkeypatch.setattr(Trainer, "fit", counted)
    stopped = bench(trained, tmp_path)
    assert isinstance(stopped.exception, TrainingInterruptedError)
    assert stopped.exception.fix == "Continue with the same command."
    assert fitted == ["colour-10-1-bits", "colour-10-1-random"]

    done = bench(trained, tmp_path, "--json")
    assert done.exit_code == 0, done.output
    # The run has no single-task network of sound: it is trained.
    assert fitted[2:] == [
        "colour-10-1-random", "colour-10-1-glorot", "colour-10-1-licence", "sound",
        "colour-10-1-alone", "colour-10-1-victim",
    ]  # fmt: skip
    document = json.loads(done.stdout)
    (figures,) = document["figures"]
    assert (figures["victim"], figures["other"], figures["samples"]) == ("colour", "sound", 4)
    assert [one["start"] for one in figures["starts"]] == [start.value for start in Start]
    assert not (tmp_path / "work").exists()
    assert not (trained.folder / "baseline").exists()
    for name in ("theft.json", "theft.md", "theft.svg", "theft.png"):
        assert (tmp_path / name).stat().st_size > 1000

    count = len(fitted)
    assert bench(trained, tmp_path).exit_code == 0
    assert len(fitted) == count  # nothing is computed twice
    other = bench(trained, tmp_path, "--steps", "3")
    assert "holds another experiment: its steps is 2" in str(other.exception)


@pytest.mark.usefixtures("known")
def test_the_runs_own_baseline_is_taken(
    trained: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: Sequence[TaskData]
) -> None:
    run = Run(tmp_path / "run")
    shutil.copytree(trained.folder, run.folder)
    own = run.baseline("sound")
    own.write_config(run.config().single_task("sound", 1))
    Trainer(own, [data[1]]).fit()
    config = run.config()
    experiment = theft_bench.plan_experiment(run, None, 1, None, 1.0)
    said: list[str] = []
    thief = theft_module.Thief(
        run, data, experiment, {"colour": "sound"}, tmp_path / "out", said.append
    )
    loot = thief._network_alone("sound")
    assert said == [f"The single-task network of sound is {own.folder}."]
    assert loot.classes == len(config.tasks[1].labels) == 3


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--victim", "smell"], "has no task 'smell'"),
        (["--other", "colour"], "cannot be both"),
        (["--shares", "0"], "--shares"),
        (["--seeds", "x"], "--seeds"),
        (["--steps", "0"], "--steps"),
    ],
)
def test_bad_options_are_refused_before_anything_is_written(
    trained: Run, tmp_path: Path, options: list[str], said: str
) -> None:
    done = bench(trained, tmp_path / "out", *options)
    assert isinstance(done.exception, RbnnError)
    assert said in str(done.exception)
    assert not (tmp_path / "out").exists()


def test_a_run_that_is_not_trained_is_refused(begin: Callable[..., Run], tmp_path: Path) -> None:
    done = bench(begin(), tmp_path / "out")
    assert isinstance(done.exception, RbnnError)
    assert "Cannot read" in str(done.exception)
