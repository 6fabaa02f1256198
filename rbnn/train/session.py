"""A whole training: the shared network, then the baselines where the run asks for them."""

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
    steps = _fit(run, data, "shared")
    if run.config().baseline:
        for task in data:
            _fit(prepare_baseline(run, task.name, steps), [task], f"{task.name} alone")
    return compare(run)


def _fit(run: Run, data: Sequence[TaskData], title: str) -> int:
    """Train one network; returns the steps that it has taken."""
    names = [task.name for task in data]
    with ProgressBars(title, names, run.config().steps_per_epoch) as bars:
        trainer = Trainer(run, data, bars)
        trainer.fit()
    return trainer.steps
