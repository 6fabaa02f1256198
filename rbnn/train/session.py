"""A whole training: the shared network and, with ``--baseline``, the single-task networks.

The single-task networks come first if they teach the shared one, otherwise last.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from datetime import datetime

from rbnn.runs.config import RunConfig
from rbnn.runs.figures import unfinished
from rbnn.runs.run import Run
from rbnn.runs.settings import AUTO
from rbnn.tasks import TaskData
from rbnn.train.baseline import TaskSharing, compare, prepare_baseline
from rbnn.train.distribution import Workers
from rbnn.train.float_network import provide_teachers
from rbnn.train.outlook import Outlook, later_work
from rbnn.train.progress import ProgressBars
from rbnn.train.trainer import Trainer

SHARED = ""
"""In place of a task's name: the network of all tasks."""
TEACHING = 4 / 3
"""Work of a step with teachers, in units of one without."""


def train(
    run: Run,
    data: Sequence[TaskData],
    workers: Workers | None = None,
    until: datetime | None = None,
) -> list[TaskSharing]:
    """Train a run from its current state to its end.

    Args:
        run: new, or interrupted at any point; finished networks are not trained again.
        data: its tasks, in the config's order.
        workers: who trains it together; one replica by default.
        until: stop at this time as with Ctrl-C; None for never.

    Returns:
        Test accuracies by task, with those of the single-task networks where the run trains them.
        Empty on a worker that is not the chief.

    Raises:
        RbnnError: interrupted, or something cannot be read or written.
    """
    workers = workers or Workers()
    config = run.config()
    if run.forgotten_file.exists() and not unfinished(run):
        return compare(run) if workers.chief else []
    steps = config.planned_steps
    # With teachers the steps are planned. In a comparison the teachers are other runs.
    first = config.baseline and config.taught and steps is not None
    single = [task.name for task in config.tasks] if config.baseline else []
    order = [*single, SHARED] if first else [SHARED, *single]
    outlooks = dict(zip(order, later_work([_cost(config, one) for one in order]), strict=True))
    with workers.together(run.folder):
        if AUTO in config.teachers.values():
            if workers.chief:
                command = workers.resume_command(run.folder)
                provide_teachers(run, config, data, command, until)
            workers.wait()
        for one in order:
            own, trained = data, run
            if one != SHARED:
                own = [task for task in data if task.name == one]
                trained = run.baseline(one)
                if workers.chief:
                    assert steps is not None
                    prepare_baseline(run, one, steps)
                workers.wait()
            title = "shared" if one == SHARED else f"{one} alone"
            taken = fit(trained, own, title, workers, later=outlooks[one], until=until)
            steps = taken if one == SHARED else steps
    return compare(run) if workers.chief else []


def fit(
    run: Run,
    data: Sequence[TaskData],
    title: str,
    workers: Workers | None = None,
    *,
    later: float = 0.0,
    until: datetime | None = None,
) -> int:
    """Train one network from its current state; returns the number of steps that it has taken.

    Args:
        run: its folder.
        data: its tasks, in the config's order.
        title: for the progress bars.
        workers: who trains it together; one replica by default. The chief shows the bars.
        later: the work of the networks that follow, in units of this one's.
        until: stop at this time as with Ctrl-C; None for never.

    Raises:
        RbnnError: interrupted, or something cannot be read or written.
    """
    names = [task.name for task in data]
    shown = workers is None or workers.chief
    outlook = Outlook(later, until)
    steps_per_epoch = run.config().steps_per_epoch
    bars = ProgressBars(title, names, steps_per_epoch, outlook=outlook) if shown else nullcontext()
    with bars as watch:
        trainer = Trainer(run, data, watch, workers)
        trainer.fit(until)
    return trainer.steps


def _cost(config: RunConfig, network: str) -> float:
    """Work of a step of one of the run's networks, in samples."""
    batches = {task.name: task.batch for task in config.tasks}
    if network != SHARED:
        return batches[network] * (TEACHING if network in config.teachers else 1)
    return sum(batches.values()) * (TEACHING if config.distill else 1)
