"""``rbnn eval --board`` against a stand-in for the board."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from rbnn.cli.main import build
from rbnn.device.answers import DeviceTask, Identity, Inference
from rbnn.device.errors import LinkError
from rbnn.device.run_evaluation import accuracy_table, evaluate_run
from rbnn.errors import RbnnError
from rbnn.spec.link import Protection
from rbnn.tasks import Split, TaskData

MODEL = "ab" * 16


@dataclass
class StandIn:
    """A board whose network returns the first pixel as the class."""

    state: str = "unlocked"
    dies_at: str = ""
    switched: list[str] = field(default_factory=list)
    inferred: int = 0

    def identify(self) -> Identity:
        return Identity(
            firmware="0",
            board="qemu",
            model_id=MODEL,
            model_digest="",
            protection=Protection.NONE,
            puf="enrolled",
            public="",
        )

    def tasks(self) -> list[DeviceTask]:
        return [
            DeviceTask(number=number, name=name, classes=3, state=self.state)  # type: ignore[arg-type]
            for number, name in enumerate(("one", "two"))
        ]

    def licences(self) -> list[Any]:
        return []

    def instructions(self, us: float) -> None:
        return None

    def switch(self, name: str) -> int:
        if name == self.dies_at:
            raise LinkError("the board was disconnected")
        self.switched.append(name)
        return 5

    def infer(self, image: bytes) -> Inference:
        scores = tuple(1.0 if number == image[0] else 0.0 for number in range(3))
        self.inferred += 1
        return Inference(scores=scores, us=9000.0 if self.inferred == 1 else 250.0)


@dataclass
class StandInRun:
    """A run folder with a model id and nothing else."""

    model_id: str = MODEL
    folder: str = "runs/x"
    metrics_file: Path = Path("runs/x/metrics.json")

    def config(self) -> StandInRun:
        return self


def make_task(name: str, wrong: int) -> TaskData:
    labels = np.arange(30, dtype=np.int64) % 3
    images = np.zeros((30, 32, 32, 1), np.uint8)
    images[:, 0, 0, 0] = labels
    images[:wrong, 0, 0, 0] += 1
    split = Split(images, labels)
    return TaskData(name, ("a", "b", "c"), split, split, name, "made here", "image")


DATA = [make_task("one", 0), make_task("two", 6)]


def evaluate(board: StandIn, run: StandInRun, samples: int) -> Any:
    return list(evaluate_run(board, run, DATA, samples, None))  # type: ignore[arg-type]


def test_each_task_is_switched_to_and_measured() -> None:
    board = StandIn()
    found = evaluate(board, StandInRun(), 0)
    assert board.switched == ["one", "two"]
    assert [(one.task, one.samples, one.correct) for one in found] == [
        ("one", 30, 30),
        ("two", 30, 24),
    ]
    assert accuracy_table(found).row_count == 2
    assert [one.us for one in found] == [250.0, 250.0], "the first inference is not counted"


def test_tasks_measured_before_the_board_dies_are_kept() -> None:
    board, kept = StandIn(dies_at="two"), []
    with pytest.raises(LinkError):
        for one in evaluate_run(board, StandInRun(), DATA, 3, None):  # type: ignore[arg-type]
            kept.append(one.task)
    assert kept == ["one"]


@pytest.mark.parametrize("dies_at", ["", "two"])
def test_the_command_prints_what_was_measured_before_the_board_died(
    monkeypatch: pytest.MonkeyPatch, dies_at: str
) -> None:
    board = StandIn(dies_at=dies_at)
    target = SimpleNamespace(open=lambda: contextlib.nullcontext(board))
    monkeypatch.setattr("rbnn.runs.run.choose_run", lambda *_: StandInRun())
    monkeypatch.setattr("rbnn.runs.start.load_data", lambda *_: DATA)
    monkeypatch.setattr("rbnn.cli.options.target", lambda *_: target)
    done = CliRunner().invoke(build(), ["eval", "--board", "qemu", "--samples", "3", "--json"])
    tasks = [one["task"] for one in json.loads(done.stdout)["tasks"]]
    assert tasks == (["one"] if dies_at else ["one", "two"])
    assert done.exit_code == (1 if dies_at else 0)
    assert ("1 of 2 tasks were measured" in str(done.exception)) == bool(dies_at)


def test_only_the_requested_number_of_samples_is_measured() -> None:
    assert [one.samples for one in evaluate(StandIn(), StandInRun(), 7)] == [7, 7]


def test_another_model_on_the_board_is_refused() -> None:
    board = StandIn()
    with pytest.raises(RbnnError, match="holds model abababab"):
        evaluate(board, StandInRun("cd" * 16), 1)
    assert board.switched == []


def test_a_locked_task_without_a_licence_is_refused() -> None:
    with pytest.raises(RbnnError, match="licence"):
        evaluate(StandIn(state="locked"), StandInRun(), 1)


def test_a_negative_sample_count_is_refused() -> None:
    with pytest.raises(RbnnError, match="--samples"):
        evaluate(StandIn(), StandInRun(), -1)
