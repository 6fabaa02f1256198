"""Measure one trained network of a comparison, in Keras and, for a device, in integers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from rbnn.compare.measured import CurvePoint, Integers, MeasuredTask, NetworkMeasurement
from rbnn.container.sizes import measure as measure_sizes
from rbnn.export.integer_predictor import current_container, integer_predictor
from rbnn.runs.run import Run
from rbnn.tasks import TaskData
from rbnn.tasks.dataset import Labels
from rbnn.train.evaluate import (
    Predictor,
    WrongSecrets,
    chance_of,
    keras_predictor,
    try_wrong_secrets,
)

Show = Callable[[str, int, int], None]
"""Called as ``show(what, done, total)``."""


def measure(
    run: Run, data: Sequence[TaskData], integers: bool, wrong: int, show: Show
) -> NetworkMeasurement:
    """Measure a run on its whole test sets, as it is after its last step.

    Args:
        run: trained to its end.
        data: its tasks.
        integers: also measure what a device would compute, with right and wrong secrets, and the
            flash that it would take; only for scheme ``xor``.
        wrong: number of wrong secrets to try on each task, with ``integers``; 0 for none.
        show: told of each step.

    Raises:
        RbnnError: files of the run are missing or damaged, or there is no C compiler.
    """
    # TensorFlow takes seconds to import.
    from rbnn.runs.figures import read_figures
    from rbnn.train.transfer import load_network

    config = run.config()
    epochs = read_figures(run)
    secrets = {} if config.scheme == "none" else run.secrets()
    keras = keras_predictor(load_network(run), secrets, bytes.fromhex(config.model_id))
    engine = integer_predictor(run, "c") if integers else None
    tasks = []
    for number, task in enumerate(data):
        show(f"measuring {task.name}", number, len(data))
        found = keras(task.name, task.test.images)
        classes = len(task.labels)
        exact, tried = _integers(engine, task, found, wrong, show)
        tasks.append(
            MeasuredTask(
                name=task.name,
                labels=task.labels,
                samples=len(task.test),
                accuracy=float(np.mean(found == task.test.labels)),
                chance=chance_of(task.test, classes),
                confusion=confusion(task.test.labels, found, classes),
                curve=tuple(
                    CurvePoint(
                        steps=epoch.steps,
                        loss=epoch.tasks[task.name].loss,
                        train_accuracy=epoch.tasks[task.name].train_accuracy,
                        test_accuracy=epoch.tasks[task.name].test_accuracy,
                    )
                    for epoch in epochs
                ),
                integers=exact,
                wrong_secrets=tried,
            )
        )
    show("measuring", len(data), len(data))
    return NetworkMeasurement(
        steps=epochs[-1].steps,
        seconds=epochs[-1].seconds,
        bits=config.topology().bits,
        tasks=tuple(tasks),
        sizes=measure_sizes(current_container(run)) if integers else None,
    )


def confusion(truth: Labels, found: Labels, classes: int) -> tuple[tuple[int, ...], ...]:
    """Samples by true class (rows) and predicted class (columns); labels are (n,) int64."""
    counts = np.bincount(truth * classes + found, minlength=classes * classes)
    return tuple(tuple(row) for row in counts.reshape(classes, classes).tolist())


def _integers(
    engine: Predictor | None, task: TaskData, found: Labels, wrong: int, show: Show
) -> tuple[Integers | None, WrongSecrets | None]:
    """Accuracy of the device's integers, with the task's secret and with wrong ones."""
    if engine is None:
        return None, None
    exact = engine(task.name, task.test.images)
    integers = Integers(
        accuracy=float(np.mean(exact == task.test.labels)),
        agreement=float(np.mean(exact == found)),
    )
    if not wrong:
        return integers, None
    tried = partial(show, f"{task.name}: wrong secrets")
    return integers, try_wrong_secrets(
        engine,
        task.name,
        task.test,
        len(task.labels),
        wrong,
        tried=lambda number: tried(number, wrong),
    )
