"""Which benchmarks of MLPerf Tiny a run's tasks stand for: by default, by choice, and later."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rbnn.container.build import with_benchmarks
from rbnn.errors import RbnnError
from rbnn.export.export import NO_PROVIDER, Export, make_container
from rbnn.runs.benchmarks import choose_benchmarks
from rbnn.runs.parameters import ModelParameters
from rbnn.runs.run import Run
from rbnn.runs.settings import TABLE
from rbnn.spec.link import Benchmark

TASKS = (("cifar", 3, 3), ("kws", 3, 1), ("mine", 2, 1))


@pytest.fixture
def run(tmp_path: Path, random_export: Callable[..., Any]) -> Run:
    made: Run = random_export(tmp_path / "run", tasks=TASKS).run
    return made


def exported(run: Run) -> list[int]:
    """What the tasks of the run's container stand for."""
    parameters = ModelParameters.load(run.parameters_file)
    container = make_container(run.config(), parameters, run.secrets(), NO_PROVIDER)
    return [task.benchmark for task in container.tasks]


def test_cifar_and_kws_have_their_names_without_being_asked(run: Run) -> None:
    assert "benchmark" not in run.config_file.read_text()
    assert exported(run) == [Benchmark.IC01, Benchmark.KWS01, Benchmark.NONE]


def test_a_name_chosen_after_training_is_kept_in_the_run(run: Run) -> None:
    choose_benchmarks(run, {"mine": Benchmark.IC01})
    choose_benchmarks(run, {"cifar": Benchmark.NONE})
    assert run.config().benchmarks == {"mine": "ic01", "cifar": "none"}
    assert exported(run) == [Benchmark.NONE, Benchmark.KWS01, Benchmark.IC01]


def test_a_task_that_the_run_does_not_have_is_refused(run: Run) -> None:
    before = run.config_file.read_bytes()
    with pytest.raises(
        RbnnError, match="--benchmark names 'other', which is none of the tasks"
    ) as refusal:
        choose_benchmarks(run, {"other": Benchmark.IC01})
    assert "cifar, kws, mine" in refusal.value.fix
    assert run.config_file.read_bytes() == before


def test_the_option_of_training_says_what_it_takes() -> None:
    setting = TABLE["benchmarks"]
    assert setting.read(["mine=kws01"]) == {"mine": "kws01"}
    with pytest.raises(RbnnError, match="--benchmark must be TASK=NAME") as refusal:
        setting.read(["mine"])
    assert refusal.value.fix == "For example: --benchmark mine=ic01"
    with pytest.raises(RbnnError, match="--benchmark mine must be one of none, ic01, kws01"):
        setting.check({"mine": "vgg"})


def test_an_export_from_before_benchmarks_is_out_of_date(run: Run) -> None:
    """So that `rbnn flash` exports again, and the runner finds the task."""
    export = Export.read(run.export_folder)
    assert export.is_current(run, NO_PROVIDER)
    names = {task: Benchmark.NONE for task in ("cifar", "kws")}
    old = dataclasses.replace(export, container=with_benchmarks(export.container, names))
    assert not old.is_current(run, NO_PROVIDER)
