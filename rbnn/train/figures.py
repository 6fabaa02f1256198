"""The figures of a run: ``metrics.json`` and TensorBoard."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from rbnn.files import write_atomic
from rbnn.nets.framework import tf
from rbnn.runs.errors import TrainingError, disk_errors
from rbnn.runs.run import Run


@dataclass(frozen=True)
class TaskFigures:
    """One task in one epoch; accuracies are shares of 1, the loss is cross-entropy in nats."""

    loss: float
    train_accuracy: float
    test_accuracy: float


@dataclass(frozen=True)
class EpochFigures:
    """One epoch: its number from 1, steps and seconds since the start, rate of its last step."""

    epoch: int
    steps: int
    seconds: float
    learning_rate: float
    tasks: dict[str, TaskFigures]


class Figures:
    """All epochs of a run, on disk after each.

    Args:
        run: its folder.
        done: completed epochs; later ones in the file are dropped (they are trained again).
    """

    def __init__(self, run: Run, done: int) -> None:
        self._run = run
        self.epochs: list[EpochFigures] = [
            epoch for epoch in read_figures(run) if epoch.epoch <= done
        ]
        with disk_errors(run.tensorboard_folder):
            self._writer: Any = tf.summary.create_file_writer(str(run.tensorboard_folder))

    def add(self, epoch: EpochFigures) -> None:
        """Record an epoch.

        Raises:
            RbnnError: a file cannot be written.
        """
        self.epochs.append(epoch)
        document = {"epochs": [asdict(one) for one in self.epochs]}
        write_atomic(self._run.metrics_file, json.dumps(document, indent=2) + "\n")
        with disk_errors(self._run.tensorboard_folder), self._writer.as_default(step=epoch.epoch):
            tf.summary.scalar("learning_rate", epoch.learning_rate)
            for task, values in epoch.tasks.items():
                for name, value in asdict(values).items():
                    tf.summary.scalar(f"{task}/{name}", value)
            self._writer.flush()


def read_figures(run: Run) -> list[EpochFigures]:
    """The epochs in ``metrics.json``; none if it does not exist yet.

    Raises:
        TrainingError: the file is damaged.
    """
    if not run.metrics_file.exists():
        return []
    try:
        document = json.loads(run.metrics_file.read_text())
        return [
            EpochFigures(
                **{**epoch, "tasks": {t: TaskFigures(**v) for t, v in epoch["tasks"].items()}}
            )
            for epoch in document["epochs"]
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise TrainingError(
            f"Cannot read {run.metrics_file}: {error}.",
            "Delete it to continue without the old figures.",
        ) from error
