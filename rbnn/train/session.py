"""A whole training: the shared network and, where the run asks for them, the tasks' own ones.

They come before it where they teach it, else after it.
"""

from __future__ import annotations

from collections.abc import Sequence

from rbnn.tasks import TaskData
from rbnn.train.baseline import Comparison, compare, prepare_baseline
from rbnn.train.progress import ProgressBars
from rbnn.train.run import Run
from rbnn.train.trainer import Trainer


def train(run: Run, data: Sequence[TaskData]) -> list[Comparison]:
    """Train a run from where it stands to its end.

    Args:
        run: new, or interrupted at any point; what is finished is not trained again.
        data: its tasks, in the config's order.

    Returns:
        Test accuracies by task, beside the task's own network where the run trains baselines.

    Raises:
        RbnnError: interrupted, or something cannot be read or written.
    """
    config = run.config()
    steps = config.planned_steps
    if config.distill is not None and steps is not None:
        _fit_baselines(run, data, steps)
    steps = fit(run, data, "shared")
    if config.baseline:
        _fit_baselines(run, data, steps)
    return compare(run)


def fit(run: Run, data: Sequence[TaskData], title: str) -> int:
    """Train one network from where it stands; returns the steps that it has taken.

    Args:
        run: its folder.
        data: its tasks, in the config's order.
        title: for the progress bars.

    Raises:
        RbnnError: interrupted, or something cannot be read or written.
    """
    names = [task.name for task in data]
    with ProgressBars(title, names, run.config().steps_per_epoch) as bars:
        trainer = Trainer(run, data, bars)
        trainer.fit()
    return trainer.steps


def _fit_baselines(run: Run, data: Sequence[TaskData], steps: int) -> None:
    for task in data:
        fit(prepare_baseline(run, task.name, steps), [task], f"{task.name} alone")
