"""Packed models with random values, for tests of several rooms."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from rbnn.export.pack import pack
from rbnn.export.packed import PackedModel
from rbnn.runs.run import Run
from rbnn.tasks.dataset import Split, TaskData

TASKS = (("colour", 5, 3), ("grey", 3, 1), ("more", 2, 1))
SAMPLES = 12


def random_data(run: Run) -> list[TaskData]:
    """Noise for the tasks of a random run."""
    rng = np.random.default_rng(5)
    config = run.config()

    def split(channels: int, classes: int) -> Split:
        images = rng.integers(0, 256, (SAMPLES, *config.input_shape[:2], channels), np.uint8)
        return Split(images, rng.integers(0, classes, SAMPLES))

    return [
        TaskData(
            name=task.name,
            labels=task.labels,
            train=split(task.input_channels, len(task.labels)),
            test=split(task.input_channels, len(task.labels)),
            source=task.name,
            origin="noise",
            kind="image",
        )
        for task in config.tasks
    ]


def pack_random_model(
    folder: Path, random_export: Callable[..., Any]
) -> tuple[PackedModel, list[TaskData]]:
    """A packed model in ``folder/packed`` and its data; the run is in ``folder/run``."""
    made = random_export(folder / "run", architecture="resnet", width=32, depth=2, tasks=TASKS)
    data = random_data(made.run)
    return pack(made.run, data, folder / "packed"), data
