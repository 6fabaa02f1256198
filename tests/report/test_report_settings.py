"""A run's settings in words, and commands that the command line takes."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Any

import pytest

from rbnn.cli.application import load
from rbnn.report.figures import TrainingState
from rbnn.report.settings import (
    as_trained,
    commands,
    origin_text,
    settings,
    task_argument,
    train_options,
)
from rbnn.runs.config import RunConfig


@pytest.fixture(scope="module")
def config(random_export: Callable[..., Any]) -> RunConfig:
    found: RunConfig = random_export(width=16).run.config()
    return found


def test_the_commands_are_commands(config: RunConfig) -> None:
    full = config.model_copy(
        update={
            "minutes": 1.5,
            "steps": 70,
            "stages": 3,
            "scheme": "xor",
            "baseline": True,
            "superpose": True,
            "trunk": 2,
            "distill": 0.3,
        }
    )
    for command in commands(full, "a run", "qemu"):
        words = shlex.split(command.line)
        options = {name for one in load(words[1]).params for name in one.opts}
        assert words[0] == "rbnn"
        assert {word for word in words if word.startswith("--")} <= options, command.line
    assert "--minutes 1.5" in commands(full, "x", "qemu")[0].line
    assert "--distill 0.3 --temperature 2" in commands(full, "x", "qemu")[0].line
    assert "--trunk 2" in commands(full, "x", "qemu")[0].line
    assert "--superpose" in commands(full, "x", "qemu")[0].line


def test_a_run_of_some_minutes_is_made_again_with_its_steps(config: RunConfig) -> None:
    timed = config.model_copy(update={"minutes": 1.5, "epochs": None, "steps": None})
    ended = TrainingState(epochs=3, steps=640, seconds=90.0, progress=1.0)
    words = shlex.join(train_options(as_trained(timed, ended)))
    assert "--steps 640" in words and "--minutes" not in words
    for state in ({"progress": 0.5}, {"steps": 0}):
        assert as_trained(timed, ended.model_copy(update=state)) == timed
    assert as_trained(config, ended) == config


def test_no_key_no_export_no_wrong_secret(config: RunConfig) -> None:
    lines = [
        command.line
        for command in commands(config.model_copy(update={"scheme": "none"}), "x", "qemu")
    ]
    assert not any("rbnn export" in line for line in lines)
    assert "rbnn eval x --wrong-secrets 0" in lines


def test_sub_batches_are_told(config: RunConfig) -> None:
    tasks = tuple(
        task.model_copy(update={"batch": batch})
        for task, batch in zip(config.tasks, (32, 96), strict=True)
    )
    uneven = config.model_copy(update={"tasks": tasks})
    assert settings(uneven)["samples a step"] == "colour 32, grey 96"
    shared = config.model_copy(
        update={"sampling": 0.5, "shares": {"colour": 2.0}, "weights": {"grey": 1.5}}
    )
    assert settings(shared)["weights in the loss"] == "grey 1.5, others 1"
    assert settings(config)["weights in the loss"] == "equal"
    words = shlex.join(train_options(shared))
    assert "--batch 64 --sampling 0.5" in words
    assert "--share colour=2 --weight grey=1.5" in words
    assert "--sampling" not in train_options(config)
    own = train_options(shared.model_copy(update={"tasks": tasks}).single_task("grey", 7))
    assert "--batch 96" in shlex.join(own)
    assert not {"--sampling", "--share", "--weight"} & set(own)


def test_a_network_that_was_taught_is_taught_again(config: RunConfig) -> None:
    taught = config.model_copy(update={"distill": 0.3})
    assert train_options(taught)[-1] == "--baseline"


@pytest.mark.parametrize(
    ("source", "argument"),
    [
        ("digits", "digits"),
        ("cifar=/home/someone/data/cifar10.zip", "cifar"),
        ("cifar=/home/someone/mine.zip", "cifar=mine.zip"),
        ("boats=/home/someone/my boats", "boats=my boats"),
    ],
)
def test_paths_stay_at_home(config: RunConfig, source: str, argument: str) -> None:
    assert task_argument(config.tasks[0].model_copy(update={"source": source})) == argument


def test_an_origin_in_words_is_left_alone() -> None:
    assert origin_text("/home/someone/data/cifar10.zip") == "cifar10.zip"
    assert origin_text("spoken by espeak-ng") == "spoken by espeak-ng"
