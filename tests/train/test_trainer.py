"""The joint trainer on two tiny tasks: it learns, stops, continues, and leaves whole files."""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Callable, Mapping

import numpy as np
import pytest
from tiny_tasks import SECRETS

from rbnn.errors import RbnnError
from rbnn.runs.errors import TrainingError, TrainingInterruptedError
from rbnn.runs.figures import EpochFigures, read_figures, unfinished
from rbnn.runs.parameters import ModelParameters
from rbnn.runs.run import Run
from rbnn.tasks import TaskData
from rbnn.train import trainer as trainer_module
from rbnn.train.evaluate import accuracy
from rbnn.train.trainer import Trainer
from rbnn.train.transfer import load_network, read_parameters


class Acting:
    """A watch that does something once, after a given step."""

    def __init__(self, at: int, act: Callable[[], None]) -> None:
        self.at = at
        self.act = act

    def step(self, done: int, progress: float, tasks: Mapping[str, tuple[float, float]]) -> None:
        assert 0 < progress <= 1
        assert set(tasks) == {"colour", "sound"}
        if done == self.at:
            self.act()

    def epoch(self, figures: EpochFigures) -> None:
        assert figures.epoch >= 1


def press_control_c() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def terminate() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def die() -> None:
    raise MemoryError("as if the process had been killed")


def assert_same_parameters(one: Run, two: Run) -> None:
    """Two runs ended with the same values, bit for bit."""
    with np.load(one.parameters_file) as first, np.load(two.parameters_file) as second:
        assert first.files == second.files
        for key in first.files:
            np.testing.assert_array_equal(first[key], second[key], err_msg=key)


def test_both_tasks_are_learnt(trained: Run) -> None:
    epochs = read_figures(trained)
    assert [epoch.epoch for epoch in epochs] == [1, 2, 3, 4]
    assert [epoch.steps for epoch in epochs] == [5, 10, 15, 20]
    assert epochs[-1].tasks["colour"].test_accuracy > 0.8
    assert epochs[-1].tasks["sound"].test_accuracy > 0.8
    assert epochs[-1].tasks["colour"].loss < epochs[0].tasks["colour"].loss
    assert list(trained.tensorboard_folder.iterdir())


def test_saved_parameters_make_the_network_that_was_measured(
    trained: Run, data: list[TaskData]
) -> None:
    network = load_network(trained)
    last = read_figures(trained)[-1]
    for task in data:
        assert accuracy(network, task.name, task.test) == last.tasks[task.name].test_accuracy
    kernels = ModelParameters.load(trained.parameters_file).kernels
    assert all(np.abs(kernel).max() <= 1 for kernel in kernels.values())
    again = read_parameters(network)
    for number, kernel in kernels.items():
        np.testing.assert_array_equal(again.kernels[number], kernel)


def test_no_file_but_one_holds_a_secret(trained: Run) -> None:
    files = [
        path
        for path in trained.folder.rglob("*")
        if path.is_file() and path != trained.secrets_file
    ]
    assert len(files) >= 5
    for path in files:
        content = path.read_bytes()
        for secret in SECRETS.values():
            assert secret not in content
            assert secret.hex().encode() not in content


def test_control_c_saves_says_how_to_continue_and_resume_ends_as_if_nothing_had_happened(
    begin: Callable[..., Run], trained: Run, data: list[TaskData]
) -> None:
    run = begin(epochs=4)
    assert unfinished(run) == ""  # nothing to warn of: no command accepts it yet
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(TrainingInterruptedError) as caught:
        Trainer(run, data, Acting(11, press_control_c)).fit()
    assert caught.value.exit_code == 130
    assert f"--resume {run.folder}" in caught.value.fix
    assert signal.getsignal(signal.SIGINT) is before
    assert unfinished(run) == (
        f"Training of {run.folder} is not finished: 50% after 2 epochs. "
        f"Continue with: rbnn train --resume {run.folder}"
    )

    trainer = Trainer(run, data)
    assert trainer.steps == 12, "pressed after step 11, noticed after the next one"
    trainer.fit()
    assert_same_parameters(run, trained)
    figures, expected = read_figures(run), read_figures(trained)
    assert [epoch.tasks for epoch in figures] == [epoch.tasks for epoch in expected]


@pytest.mark.usefixtures("eager")
def test_sigterm_saves_as_control_c_does(begin: Callable[..., Run], data: list[TaskData]) -> None:
    run = begin(epochs=4)
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(TrainingInterruptedError) as caught:
        Trainer(run, data, Acting(1, terminate)).fit()
    assert caught.value.exit_code == 128 + signal.SIGTERM == 143
    assert f"--resume {run.folder}" in caught.value.fix
    assert signal.getsignal(signal.SIGTERM) is before
    assert Trainer(run, data).steps == 2


def test_a_kill_in_the_first_epoch_costs_a_few_minutes_at_most(
    begin: Callable[..., Run], data: list[TaskData], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainer_module, "SECONDS_BETWEEN_CHECKPOINTS", 0.0)
    run = begin(epochs=None, steps=50, batch=2)
    with pytest.raises(MemoryError):
        Trainer(run, data, Acting(11, die)).fit()
    assert run.config().steps_per_epoch > 11
    assert Trainer(run, data).steps == 10


def test_time_that_runs_out_while_the_last_epoch_is_measured_ends_the_run(
    begin: Callable[..., Run], data: list[TaskData], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = begin(epochs=None, minutes=1.0)
    now = 0.0

    def clock() -> float:
        return now

    def measure(self: Trainer) -> None:
        nonlocal now
        now += 30.5  # the second epoch's measurement passes the minute
        measured(self)

    measured = Trainer._measure_statistics
    monkeypatch.setattr(trainer_module.time, "monotonic", clock)
    monkeypatch.setattr(Trainer, "_measure_statistics", measure)
    monkeypatch.setattr(trainer_module, "EPOCH_SAMPLES", 5)
    trainer = Trainer(run, data)
    trainer.fit()
    epochs = read_figures(run)
    assert [epoch.epoch for epoch in epochs] == [1, 2]
    assert run.config().progress(epochs[-1].steps, epochs[-1].seconds) >= 1
    assert unfinished(run) == ""
    whole = {task.name: accuracy(trainer.network, task.name, task.test) for task in data}
    assert {name: one.test_accuracy for name, one in epochs[-1].tasks.items()} == whole


@pytest.mark.usefixtures("eager")
def test_only_the_ratio_of_the_tasks_weights_moves_the_kernels(
    begin: Callable[..., Run], data: list[TaskData]
) -> None:
    plain, even, heavy = (
        begin(depth=3, weights=weights, steps=2)
        for weights in ({}, {"colour": 2.0, "sound": 2.0}, {"colour": 8.0})
    )
    for run in (plain, even, heavy):
        Trainer(run, data).fit()
    assert_same_parameters(plain, even)
    kernels = [ModelParameters.load(run.parameters_file).kernels[0] for run in (plain, heavy)]
    assert not np.array_equal(*kernels)
    losses = [read_figures(run)[0].tasks["sound"].loss for run in (plain, heavy)]
    assert losses[0] == pytest.approx(losses[1], rel=0.5), "reported losses are not weighted"


def test_a_finished_run_is_not_trained_again(trained: Run, data: list[TaskData]) -> None:
    trainer = Trainer(trained, data)
    before = trained.parameters_file.stat().st_mtime_ns
    trainer.fit()
    assert trainer.steps == 20
    assert trained.parameters_file.stat().st_mtime_ns == before


@pytest.mark.usefixtures("eager")
def test_a_finished_run_restores_its_damaged_parameters(
    begin: Callable[..., Run], data: list[TaskData]
) -> None:
    run = begin(depth=3, epochs=1)
    Trainer(run, data).fit()
    whole = run.parameters_file.read_bytes()
    run.parameters_file.write_bytes(whole[:1000])
    Trainer(run, data).fit()
    assert run.parameters_file.read_bytes() == whole


def test_a_full_disk_leaves_the_earlier_checkpoint(
    begin: Callable[..., Run], trained: Run, data: list[TaskData]
) -> None:
    run = begin(epochs=4)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill_disk() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
        press_control_c()

    try:
        with pytest.raises(TrainingError, match=r"Cannot write .*checkpoints"):
            Trainer(run, data, Acting(11, fill_disk)).fit()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    names = {path.name.split(".")[0] for path in run.checkpoint_folder.iterdir()}
    assert names == {"checkpoint", "ckpt-5", "ckpt-10"}
    trainer = Trainer(run, data)
    assert trainer.steps == 10
    trainer.fit()
    assert_same_parameters(run, trained)


@pytest.mark.usefixtures("eager")
def test_a_damaged_checkpoint_is_named(begin: Callable[..., Run], data: list[TaskData]) -> None:
    run = begin(depth=3, epochs=1)
    Trainer(run, data).fit()
    for part in run.checkpoint_folder.glob("*.data-*"):
        part.write_bytes(part.read_bytes()[:1000])
    with pytest.raises(TrainingError, match="ckpt-5 is damaged"):
        Trainer(run, data)


def test_a_time_budget_ends_the_run_in_good_order(
    begin: Callable[..., Run], data: list[TaskData]
) -> None:
    run = begin(epochs=None, minutes=0.05)
    trainer = Trainer(run, data)
    trainer.fit()
    assert trainer.progress >= 1
    last = read_figures(run)[-1]
    assert last.steps == trainer.steps >= 1
    assert last.seconds < 20
    load_network(run)


def test_missing_secrets_and_parameters_are_refused(begin: Callable[..., Run]) -> None:
    run = begin()
    with pytest.raises(RbnnError, match="does not hold trained parameters"):
        load_network(run)


def test_parameters_of_another_network_are_refused(begin: Callable[..., Run], trained: Run) -> None:
    run = begin(width=64)
    run.parameters_file.write_bytes(trained.parameters_file.read_bytes())
    with pytest.raises(TrainingError, match="do not fit"):
        load_network(run)
