"""``--until HH:MM``: a training stops then, says when it will end, and continues anywhere."""

from __future__ import annotations

import io
import json
import shutil
import signal
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from rich.console import Console
from test_trainer import assert_same_parameters
from typer.testing import CliRunner

from rbnn.cli.main import build
from rbnn.runs.errors import TrainingError, TrainingPausedError
from rbnn.runs.run import Run
from rbnn.tasks import TaskData
from rbnn.train.interrupt import caught_interrupts, is_due, parse_until
from rbnn.train.outlook import Outlook, later_work
from rbnn.train.progress import ProgressBars
from rbnn.train.session import train
from rbnn.train.trainer import Trainer

NOON = datetime(2026, 11, 21, 12, 0, 30)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12:01", datetime(2026, 11, 21, 12, 1)),
        ("12:00", datetime(2026, 11, 22, 12, 0)),
        ("7:30", datetime(2026, 11, 22, 7, 30)),
        ("00:00", datetime(2026, 11, 22)),
    ],
)
def test_a_time_of_day_is_the_next_one(text: str, expected: datetime) -> None:
    assert parse_until(text, NOON) == expected


@pytest.mark.parametrize("text", ["24:00", "12:60", "12", "noon", "12:5", "-1:00", ""])
def test_what_is_no_time_of_day_is_refused(text: str) -> None:
    with pytest.raises(TrainingError, match="--until must be a time of day"):
        parse_until(text)


def test_a_time_that_has_come_stops() -> None:
    past, future = (datetime.now() + timedelta(seconds=seconds) for seconds in (-1, 600))
    assert is_due(past) and not is_due(future) and not is_due(None)
    with caught_interrupts(past) as wanted:
        assert wanted.wanted
        error = wanted.stopped("after step 3 of x", "rbnn train --resume x")
    assert isinstance(error, TrainingPausedError)
    assert error.exit_code == 0
    with caught_interrupts(future) as wanted:
        assert not wanted.wanted
        wanted.press(signal.SIGINT)
        assert wanted.stopped("after step 3", "").exit_code == 130


@pytest.mark.usefixtures("eager")
def test_a_run_that_stops_each_step_and_moves_ends_as_if_nothing_had_happened(
    begin: Callable[..., Run], data: list[TaskData], tmp_path: Path
) -> None:
    small = {"width": 8, "depth": 3, "epochs": None, "steps": 3}
    whole = begin("whole", **small)
    Trainer(whole, data).fit()
    run = begin("parts", **small)
    folder = run.folder
    for step in range(1, 4):
        with pytest.raises(TrainingPausedError, match=rf"after step {step} of .*; it is saved"):
            Trainer(Run(folder), data).fit(datetime.now())
        copied = tmp_path / f"machine {step}" / "run"
        shutil.copytree(folder, copied)
        shutil.rmtree(folder)
        folder = copied
    Trainer(Run(folder), data).fit()
    assert_same_parameters(Run(folder), whole)


def test_a_moved_run_says_how_to_continue_it(
    begin: Callable[..., Run], data: list[TaskData], tmp_path: Path
) -> None:
    run = Run(begin().folder.rename(tmp_path / "a run"))
    with pytest.raises(TrainingPausedError) as stopped:
        train(run, data, until=datetime.now())
    assert stopped.value.fix == f"rbnn train --resume '{run.folder}'"


class Clock:
    def __init__(self) -> None:
        self.now = NOON.timestamp()

    def __call__(self) -> float:
        return self.now


def test_the_end_follows_from_the_speed_since_the_first_report() -> None:
    clock = Clock()
    outlook = Outlook(later=2.0, until=NOON + timedelta(minutes=50), clock=clock)
    assert outlook.words() == "end not known yet"
    outlook.see(0.5)  # a resumed run
    clock.now += 600
    outlook.see(0.6)
    assert outlook.words() == "ends about 12:50, everything about 16:10, stops at 12:50"
    assert later_work([1, 3, 2]) == [5, 2 / 3, 0]


def test_another_day_is_named() -> None:
    clock = Clock()
    outlook = Outlook(clock=clock)
    outlook.see(0.0)
    clock.now += 3600
    outlook.see(0.05)
    assert outlook.words() == "ends about Sun 08:00"


def test_without_a_terminal_there_is_a_line_a_minute() -> None:
    clock, out = Clock(), io.StringIO()
    console = Console(file=out)
    outlook = Outlook(clock=clock)
    with ProgressBars("shared", ["a"], 100, console, outlook, clock) as bars:
        for step in range(1, 181, 5):
            bars.step(step, step / 1000, {"a": (1.0, 0.5)})
            clock.now += 5
    lines = out.getvalue().splitlines()
    assert len(lines) == 3
    assert lines[0] == "shared: 1%, epoch 1, step 11, ends about 12:17"
    assert "epoch 2, step 131" in lines[2]


def write_set(folder: Path) -> Path:
    generator = np.random.default_rng(1)
    for split in ("train", "test"):
        for level, name in ((0, "dark"), (200, "light")):
            place = folder / split / name
            place.mkdir(parents=True)
            for index in range(8):
                pixels = generator.integers(level, level + 56, (32, 32), dtype=np.uint8)
                Image.fromarray(pixels).save(place / f"{index}.png")
    return folder


def typed(*words: str) -> Any:
    return CliRunner().invoke(build(), words)


@pytest.mark.usefixtures("eager", "own_cache")
def test_a_stopped_command_succeeds_and_continues_on_another_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    write_set(here / "boats")
    monkeypatch.delenv("RBNN_DATA", raising=False)
    monkeypatch.setattr("rbnn.train.interrupt.parse_until", lambda text: datetime.now())
    size = ("--width", "8", "--depth", "3", "--batch", "4", "--steps", "3")
    task = ("--tasks", f"boats={here / 'boats'}", "--out", str(here / "runs"))
    done = typed("train", *task, *size, "--baseline", "--until", "07:00", "--json")
    assert done.exit_code == 0, done.stderr
    document = json.loads(done.stdout)
    (run,) = (here / "runs").iterdir()
    assert document["continue"] == f"rbnn train --resume {run}"
    assert f"Continue with: rbnn train --resume {run}" in done.stderr

    here.rename(there)
    moved = str(there / "runs" / run.name)
    lost = typed("train", "--resume", moved)
    assert isinstance(lost.exception, TrainingError)
    assert f"The data of task boats are not at {here / 'boats'}" in str(lost.exception)
    other = typed("train", "--resume", moved, "--tasks", f"cars={there / 'boats'}")
    assert "has no task 'cars'" in str(other.exception)
    done = typed("train", "--resume", moved, "--tasks", f"boats={there / 'boats'}", "--json")
    assert done.exit_code == 0, done.exception
    assert json.loads(done.stdout)["tasks"][0]["own"] is not None
    assert str(here) not in Run(Path(moved)).config_file.read_text()

    (there / "runs").rename(tmp_path / "runs")
    there.rename(tmp_path / "data")
    monkeypatch.setenv("RBNN_DATA", str(tmp_path / "data"))
    assert typed("eval", str(tmp_path / "runs" / run.name), "--wrong-secrets", "0").exit_code == 0
