"""What ``rbnn eval`` reports about a run: accuracy by task, and what wrong secrets reach."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from rbnn.errors import ExitCode
from rbnn.frozen import Frozen
from rbnn.runs.errors import TrainingError
from rbnn.runs.run import Run
from rbnn.tasks import TaskData
from rbnn.train.evaluate import (
    Chance,
    Predictor,
    WrongSecrets,
    chance_of,
    keras_predictor,
    try_wrong_secrets,
)

Progress = Callable[[str, int, int], None]
"""Called as ``progress(what, done, total)``."""


class TaskAssessment(Frozen):
    """One task on its test set; accuracies are shares of 1."""

    task: str
    classes: int
    samples: int
    accuracy: float
    chance: Chance
    wrong_secrets: WrongSecrets | None


def assess(
    run: Run,
    data: Sequence[TaskData],
    wrong_secrets: int,
    predictor: Predictor | None = None,
    progress: Progress | None = None,
) -> list[TaskAssessment]:
    """Measure a run on its test sets.

    Args:
        run: trained for an epoch or more.
        data: its tasks, in its order.
        wrong_secrets: how many to try on each task; 0 for none.
        predictor: computes the classes; None for Keras.
        progress: called for each task and each wrong secret.

    Raises:
        RbnnError: the run cannot be read, or has no key that could be wrong.
    """
    config = run.config()
    if wrong_secrets < 0:
        raise TrainingError(
            f"--wrong-secrets must be 0 or more. Received: {wrong_secrets}.",
            "Omit it for the default.",
        )
    if wrong_secrets and config.scheme == "none":
        raise TrainingError(
            f"{run.folder} is a network without keys; no secret can be wrong.",
            "Add --wrong-secrets 0.",
        )
    if predictor is None:
        # TensorFlow takes seconds to import, and integers do not need it.
        from rbnn.train.transfer import load_network

        predictor = keras_predictor(
            load_network(run),
            {} if config.scheme == "none" else run.secrets(),
            bytes.fromhex(config.model_id),
        )
    reports = []
    for number, task in enumerate(data):
        _tell(progress, f"{task.name}: test set", len(data), number)
        found = predictor(task.name, task.test.images)
        wrong = None
        if wrong_secrets:
            what = f"{task.name}: wrong secrets"
            wrong = try_wrong_secrets(
                predictor,
                task.name,
                task.test,
                len(task.labels),
                wrong_secrets,
                tried=partial(_tell, progress, what, wrong_secrets),
            )
        reports.append(
            TaskAssessment(
                task=task.name,
                classes=len(task.labels),
                samples=len(task.test),
                accuracy=float(np.mean(found == task.test.labels)),
                chance=chance_of(task.test, len(task.labels)),
                wrong_secrets=wrong,
            )
        )
    return reports


def require_passed(reports: Sequence[TaskAssessment]) -> None:
    """Refuse a run in which a wrong secret does better or worse than guessing.

    Raises:
        TrainingError: names the tasks, and which part of the rule fails.
    """
    failed = [
        f"{one.task} ({', '.join(one.wrong_secrets.failures)})"
        for one in reports
        if one.wrong_secrets and not one.wrong_secrets.passed
    ]
    if failed:
        raise TrainingError(
            f"Wrong secrets are not at chance on: {', '.join(failed)}.",
            'Measure with more of them (--wrong-secrets 200); docs/security.md, "Wrong secrets", '
            "says what each failure can mean.",
            exit_code=ExitCode.CHECK_FAILED,
        )


def _tell(progress: Progress | None, what: str, total: int, done: int) -> None:
    if progress:
        progress(what, done, total)
