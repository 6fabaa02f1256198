"""A run with random parameters, and test sets to report on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rbnn.report.figures import RunReport
from rbnn.report.gather import Wishes, report_run
from rbnn.runs.config import RunConfig
from rbnn.runs.run import Run
from rbnn.tasks.dataset import Split, TaskData
from rbnn.tasks.load import Progress

SAMPLES = 120


def made_data(config: RunConfig, progress: Progress | None = None) -> list[TaskData]:
    """Instead of ``rbnn.runs.start.load_data``: noise; the second task is audio."""
    return [_made(config, number) for number in range(len(config.tasks))]


def _made(config: RunConfig, number: int) -> TaskData:
    task = config.tasks[number]
    rng = np.random.default_rng(len(task.labels))
    shape = (SAMPLES, 32, 32, task.input_channels)
    labels = np.arange(SAMPLES, dtype=np.int64) % len(task.labels)
    train, test = (Split(rng.integers(0, 256, shape, dtype=np.uint8), labels) for _ in range(2))
    return TaskData(
        name=task.name,
        labels=task.labels,
        train=train,
        test=test,
        source=task.source,
        origin="/somewhere/private/noise.zip",
        kind="image" if task.input_channels == 3 else "audio",
    )


def write_metrics(run: Run, epochs: int) -> None:
    """What training records: accuracies that rise."""
    figures = [
        {
            "epoch": epoch,
            "steps": epoch,
            "seconds": 60.0 * epoch,
            "learning_rate": 0.01,
            "tasks": {
                task.name: {
                    "loss": 2 / epoch,
                    "train_accuracy": 1 - 0.5 / epoch,
                    "test_accuracy": 1 - 0.6 / epoch,
                }
                for task in run.config().tasks
            },
        }
        for epoch in range(1, epochs + 1)
    ]
    run.metrics_file.parent.mkdir(parents=True, exist_ok=True)
    run.metrics_file.write_text(json.dumps({"epochs": figures}))


def add_own_networks(run: Run, names: Sequence[str]) -> None:
    """As if ``--baseline`` had trained them."""
    config = run.config()
    for name in names:
        own = run.baseline(name)
        entry = tuple(task for task in config.tasks if task.name == name)
        own.write_config(config.model_copy(update={"tasks": entry, "scheme": "none"}))
        write_metrics(own, 2)


def make_report(run: Run, folder: Path, **wishes: object) -> RunReport:
    """A report with the C engine and no keys except those in ``folder``."""
    chosen = {
        "board": "nucleo",
        "engine": "c",
        "provider_key": folder / "provider.pem",
        "registry": str(folder / "registry.sqlite"),
        **wishes,
    }
    return report_run(run, Wishes(**chosen), lambda what, done, total: None)  # type: ignore[arg-type]
