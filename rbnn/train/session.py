"""A whole training: the shared network and, with ``--baseline``, the single-task networks.

The single-task networks come first if they teach the shared one, otherwise last.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext

from rbnn.runs.run import Run
from rbnn.tasks import TaskData
from rbnn.train.baseline import TaskSharing, compare, prepare_baseline
from rbnn.train.distribution import Workers
from rbnn.train.progress import ProgressBars
from rbnn.train.trainer import Trainer


def train(run: Run, data: Sequence[TaskData], workers: Workers | None = None) -> list[TaskSharing]:
    """Train a run from its current state to its end.

    Args:
        run: new, or interrupted at any point; finished networks are not trained again.
        data: its tasks, in the config's order.
        workers: who trains it together; one replica by default.

    Returns:
        Test accuracies by task, with those of the single-task networks where the run trains them.
        Empty on a worker that is not the chief.

    Raises:
        RbnnError: interrupted, or something cannot be read or written.
    """
    workers = workers or Workers()
    config = run.config()
    steps = config.planned_steps
    with workers.together(run.folder):
        # With teachers the steps are planned. In a comparison the teachers are other runs.
        first = config.baseline and config.taught
        if first and steps is not None:
            _fit_baselines(run, data, steps, workers)
        steps = fit(run, data, "shared", workers)
        if config.baseline and not first:
            _fit_baselines(run, data, steps, workers)
    return compare(run) if workers.chief else []


def fit(run: Run, data: Sequence[TaskData], title: str, workers: Workers | None = None) -> int:
    """Train one network from its current state; returns the number of steps that it has taken.

    Args:
        run: its folder.
        data: its tasks, in the config's order.
        title: for the progress bars.
        workers: who trains it together; one replica by default. The chief shows the bars.

    Raises:
        RbnnError: interrupted, or something cannot be read or written.
    """
    names = [task.name for task in data]
    shown = workers is None or workers.chief
    bars = ProgressBars(title, names, run.config().steps_per_epoch) if shown else nullcontext()
    with bars as watch:
        trainer = Trainer(run, data, watch, workers)
        trainer.fit()
    return trainer.steps


def _fit_baselines(run: Run, data: Sequence[TaskData], steps: int, workers: Workers) -> None:
    for task in data:
        if workers.chief:
            prepare_baseline(run, task.name, steps)
        workers.wait()
        fit(run.baseline(task.name), [task], f"{task.name} alone", workers)
