"""What is recorded of a training: ``metrics.json``, and whether the run came to its end."""

from __future__ import annotations

import json
from dataclasses import dataclass

from rbnn.errors import RbnnError
from rbnn.runs.errors import TrainingError
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


def unfinished(run: Run) -> str:
    """What users of a run must know that was not trained to its end; empty for any other run."""
    try:
        config, epochs = run.config(), read_figures(run)
    except RbnnError:
        return ""
    if not epochs:
        return ""
    last = epochs[-1]
    progress = config.progress(last.steps, last.seconds)
    if progress >= 1:
        return ""
    return (
        f"Training of {run.folder} is not finished: {progress:.0%} after {len(epochs)} "
        f"epoch{'' if len(epochs) == 1 else 's'}. Continue with: rbnn train --resume {run.folder}"
    )
