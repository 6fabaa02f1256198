"""Begin a run: settings checked, folder made, config and secrets written."""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from rbnn.errors import RbnnError
from rbnn.nets.architectures import architecture
from rbnn.spec.layout import Adapter
from rbnn.spec.stream import MODEL_ID_BYTES, SECRET_BYTES
from rbnn.tasks import SIDE, TaskData, load
from rbnn.tasks.load import Progress
from rbnn.train.errors import TrainingError
from rbnn.train.run import CipherName, Run, RunConfig, RunTask, new_run

MOST_EPOCHS = 20
FEWEST_EPOCHS = 10
USUAL_STEPS = 15_000
"""Without ``--epochs``: 20 epochs, fewer where that is more than 15,000 steps, but 10 at least."""


@dataclass(frozen=True)
class Settings:
    """What the user may choose.

    Args:
        architecture: one of ``rbnn.nets.architectures``.
        width: channels of the first stage; None for the architecture's default.
        depth: convolutions or blocks; None for the architecture's default.
        cipher: of the key stream.
        epochs: passes over the largest task; None chooses by its size.
        minutes: time budget; None is no limit.
        batch: samples per task and step.
        learning_rate: the schedule's peak.
        seed: of everything but the secrets.
        baseline: train each task's own network for comparison.
    """

    architecture: str = "vgg"
    width: int | None = None
    depth: int | None = None
    cipher: CipherName = "chacha20"
    epochs: int | None = None
    minutes: float | None = None
    batch: int = 64
    learning_rate: float = 0.01
    seed: int = 1
    baseline: bool = False


def start_run(
    root: Path,
    data: Sequence[TaskData],
    settings: Settings,
    *,
    secrets: dict[str, bytes] | None = None,
    model_id: bytes | None = None,
    today: date | None = None,
) -> Run:
    """Make a run folder that :class:`rbnn.train.trainer.Trainer` can train.

    Args:
        root: folder of all runs.
        data: the tasks.
        settings: the user's choices.
        secrets: 32 bytes by task, for tests; drawn afresh without.
        model_id: 16 bytes, for tests; drawn afresh without.
        today: date in the folder's name.

    Raises:
        RbnnError: a setting is unusable or the folder cannot be written.
    """
    check(settings)
    chosen = architecture(settings.architecture)
    channels = max(task.channels for task in data)
    largest = max(len(task.train) for task in data)
    steps_per_epoch = -(-largest // settings.batch)
    epochs = settings.epochs
    if epochs is None and settings.minutes is None:
        epochs = usual_epochs(steps_per_epoch)
    config = RunConfig(
        tasks=tuple(describe(task, channels) for task in data),
        architecture=chosen.name,
        width=chosen.width if settings.width is None else settings.width,
        depth=chosen.depth if settings.depth is None else settings.depth,
        input_shape=(SIDE, SIDE, channels),
        scheme="xor",
        cipher=settings.cipher,
        model_id=(model_id or os.urandom(MODEL_ID_BYTES)).hex(),
        seed=settings.seed,
        epochs=epochs,
        batch=settings.batch,
        learning_rate=settings.learning_rate,
        steps_per_epoch=steps_per_epoch,
        minutes=settings.minutes,
        baseline=settings.baseline,
    )
    config.topology()  # refuses a width or depth that does not work before anything is written
    run = new_run(root, [task.name for task in data], today or date.today())
    try:
        run.write_config(config)
        run.write_secrets(secrets or {task.name: os.urandom(SECRET_BYTES) for task in data})
    except RbnnError:
        shutil.rmtree(run.folder, ignore_errors=True)  # made above, holds nothing else yet
        raise
    return run


def check(settings: Settings) -> None:
    """Refuse settings that cannot work.

    Raises:
        TrainingError: names the option.
    """
    numbers = {
        "--epochs": settings.epochs,
        "--minutes": settings.minutes,
        "--learning-rate": settings.learning_rate,
    }
    for option, value in numbers.items():
        if value is not None and not 0 < value < math.inf:
            raise TrainingError(f"{option} must be above 0 and finite. Received: {value}.")
    if settings.batch < 2:
        raise TrainingError(
            f"--batch must be 2 or more. Received: {settings.batch}.",
            "Batch norm needs more than one sample.",
        )
    if not 0 <= settings.seed < 2**31:
        raise TrainingError(f"--seed must be in 0 .. {2**31 - 1}. Received: {settings.seed}.")


def usual_epochs(steps_per_epoch: int) -> int:
    """How many epochs to train where the user does not say."""
    return min(MOST_EPOCHS, max(FEWEST_EPOCHS, USUAL_STEPS // steps_per_epoch))


def describe(task: TaskData, channels: int) -> RunTask:
    """One task's entry in the config; ``channels`` are those of the network's input."""
    means = np.rint(task.train.images.mean(axis=(0, 1, 2))).astype(int).tolist()
    replicate = task.channels < channels
    return RunTask(
        name=task.name,
        labels=task.labels,
        input_channels=task.channels,
        adapter=Adapter.REPLICATE if replicate else Adapter.IDENTITY,
        offsets=tuple(means * channels if replicate else means),
        source=task.source,
        fingerprint=task.fingerprint,
    )


def load_data(config: RunConfig, progress: Progress | None = None) -> list[TaskData]:
    """The data of a run, found again.

    Raises:
        RbnnError: they are missing, or no longer what the run was begun with.
    """
    found = []
    for task in config.tasks:
        data = load(task.source, progress=progress)
        if task.fingerprint and data.fingerprint != task.fingerprint:
            raise TrainingError(
                f"The data of task {task.name} ({data.origin}) have changed since the run began.",
                "Restore them, or begin a new run.",
            )
        found.append(data)
    return found
