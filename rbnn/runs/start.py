"""Begin a run: settings checked, folder made, config and secrets written."""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import numpy as np

from rbnn.errors import RbnnError
from rbnn.nets.architectures import architecture
from rbnn.runs.errors import TrainingError
from rbnn.runs.run import (
    CipherName,
    Distillation,
    Precision,
    Run,
    RunConfig,
    RunTask,
    Scheme,
    new_run,
)
from rbnn.spec.layout import Adapter
from rbnn.spec.stream import MODEL_ID_BYTES, SECRET_BYTES
from rbnn.tasks import SIDE, TaskData, load
from rbnn.tasks.load import Progress

MOST_EPOCHS = 20
FEWEST_EPOCHS = 10
FEWEST_SAMPLES = 2
"""A step's batch norm needs more than one."""
USUAL_STEPS = 15_000
"""Without ``--epochs``: 20 epochs, fewer where that is more than 15,000 steps, but 10 at least."""


@dataclass(frozen=True)
class Settings:
    """What the user may choose.

    Args:
        architecture: one of ``rbnn.nets.architectures``.
        width: channels of the first stage; None for the architecture's default.
        depth: convolutions or blocks; None for the architecture's default.
        stages: None for the architecture's default.
        scheme: how a task's secret changes the stored bits.
        cipher: of the key stream.
        epochs: passes over the largest task; None chooses by its size.
        steps: None is no limit.
        minutes: time budget; None is no limit.
        batch: samples per task and step, on average over the tasks.
        sampling: 0 gives every task as many samples a step, 1 in proportion to its training set;
            in between, in proportion to that power of it.
        shares: by task, how many times that many samples it has; 1 where it is not named.
        weights: by task, how many times it counts in the loss and in the first values that
            ``superpose`` gives; 1 where it is not named.
        learning_rate: the schedule's peak.
        precision: of the binary convolutions while training; None for what this machine is made
            for, see :func:`usual_precision`.
        trunk: so many layers with bits, the stem first, have one key for all tasks.
        superpose: begin with each task's own network, its teacher, laid on the others.
        distill: weight of the teachers' answers in the loss; None trains from labels alone.
        temperature: that softens teachers' and students' answers.
        seed: of everything but the secrets.
        baseline: train each task's own network for comparison, and first where it is a teacher.
    """

    architecture: str = "vgg"
    width: int | None = None
    depth: int | None = None
    stages: int | None = None
    scheme: Scheme = "xor"
    cipher: CipherName = "chacha20"
    epochs: int | None = None
    steps: int | None = None
    minutes: float | None = None
    batch: int = 64
    sampling: float = 0.0
    shares: Mapping[str, float] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)
    learning_rate: float = 0.01
    precision: Precision | None = None
    trunk: int = 0
    superpose: bool = False
    distill: float | None = None
    temperature: float = 2.0
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
    config = configure(data, settings, model_id or os.urandom(MODEL_ID_BYTES))
    run = new_run(root, [task.name for task in data], today or date.today())
    if config.taught:
        tasks = (
            one.model_copy(update={"teacher": run.baseline(one.name).relative_to(run)})
            for one in config.tasks
        )
        config = config.model_copy(update={"tasks": tuple(tasks)})
    try:
        write_run(run, config, secrets)
    except RbnnError:
        shutil.rmtree(run.folder, ignore_errors=True)  # made above, holds nothing else yet
        raise
    return run


def configure(data: Sequence[TaskData], settings: Settings, model_id: bytes) -> RunConfig:
    """The config that ``settings`` ask for.

    Args:
        data: the tasks.
        settings: the user's choices.
        model_id: 16 bytes.

    Raises:
        RbnnError: a setting is unusable.
    """
    check(settings)
    chosen = architecture(settings.architecture)
    channels = max(task.channels for task in data)
    names = [task.name for task in data]
    for option, factors in _factors(settings).items():
        unknown = sorted(set(factors) - set(names))
        if unknown:
            raise TrainingError(
                f"{option} names {unknown[0]!r}, which is no task of the run.",
                f"Its tasks are {', '.join(names)}.",
            )
    batches = share_batches(
        [len(task.train) for task in data],
        settings.batch,
        settings.sampling,
        [settings.shares.get(name, 1.0) for name in names],
    )
    largest = max(range(len(data)), key=lambda number: len(data[number].train))
    steps_per_epoch = -(-len(data[largest].train) // batches[largest])
    epochs = settings.epochs
    if epochs is None and settings.minutes is None and settings.steps is None:
        epochs = usual_epochs(steps_per_epoch)
    distill = None
    if settings.distill is not None:
        distill = Distillation(weight=settings.distill, temperature=settings.temperature)
    config = RunConfig(
        tasks=tuple(
            describe(task, channels, batch) for task, batch in zip(data, batches, strict=True)
        ),
        architecture=chosen.name,
        width=chosen.width if settings.width is None else settings.width,
        depth=chosen.depth if settings.depth is None else settings.depth,
        stages=chosen.stages if settings.stages is None else settings.stages,
        input_shape=(SIDE, SIDE, channels),
        scheme=settings.scheme,
        cipher=settings.cipher,
        model_id=model_id.hex(),
        seed=settings.seed,
        epochs=epochs,
        steps=settings.steps,
        learning_rate=settings.learning_rate,
        batch=settings.batch,
        sampling=settings.sampling,
        shares=dict(settings.shares),
        weights=dict(settings.weights),
        precision=settings.precision or usual_precision(),
        trunk=settings.trunk,
        superpose=settings.superpose,
        distill=distill,
        steps_per_epoch=steps_per_epoch,
        minutes=settings.minutes,
        baseline=settings.baseline,
    )
    # Refuses a width, a depth or a trunk that does not work before anything is written.
    config.topology().trunk_layers(config.trunk)
    return config


def write_run(run: Run, config: RunConfig, secrets: Mapping[str, bytes] | None = None) -> None:
    """Write a new run's config and, under a scheme with keys, its secrets.

    Args:
        run: its folder need not exist yet.
        config: of the run.
        secrets: 32 bytes by task, for tests; drawn afresh without.

    Raises:
        RbnnError: the folder cannot be written.
    """
    run.write_config(config)
    if config.scheme != "none":
        drawn = {task.name: os.urandom(SECRET_BYTES) for task in config.tasks}
        run.write_secrets(dict(secrets or drawn))


def share_batches(
    sizes: Sequence[int], batch: int, sampling: float, factors: Sequence[float] | None = None
) -> list[int]:
    """Samples of each task in one step.

    Args:
        sizes: samples of the training sets.
        batch: mean over the tasks.
        sampling: power of the sizes that the shares follow, 0 to 1.
        factors: that the shares are multiplied with; None for 1.
    """
    weights = np.asarray(sizes, np.float64) ** sampling
    if factors is not None:
        weights *= factors
    shares = batch * len(sizes) * weights / weights.sum()
    return [max(FEWEST_SAMPLES, int(share)) for share in np.rint(shares)]


def parse_factors(option: str, texts: Sequence[str]) -> dict[str, float]:
    """Read ``NAME=FACTOR`` of every text that came with ``option``.

    Raises:
        TrainingError: one has no number, or a name comes twice.
    """
    factors: dict[str, float] = {}
    for text in texts:
        name, _, number = text.partition("=")
        try:
            factor = float(number)
        except ValueError:
            raise TrainingError(
                f"{option} is NAME=FACTOR. Received: {text!r}.", f"Write: {option} cifar=2"
            ) from None
        if name in factors:
            raise TrainingError(f"{option} names {name!r} twice.")
        factors[name] = factor
    return factors


def _factors(settings: Settings) -> dict[str, Mapping[str, float]]:
    """By option, the factors that it gives to tasks."""
    return {"--share": settings.shares, "--weight": settings.weights}


def usual_precision() -> Precision:
    """``bfloat16`` where a CPU of this machine multiplies it at full speed, else ``float32``."""
    try:
        flags = Path("/proc/cpuinfo").read_text()
    except OSError:
        return "float32"
    return "bfloat16" if {"avx512_bf16", "amx_bf16"} & set(flags.split()) else "float32"


def check(settings: Settings) -> None:
    """Refuse settings that cannot work.

    Raises:
        TrainingError: names the option.
    """
    numbers = {
        "--epochs": settings.epochs,
        "--steps": settings.steps,
        "--minutes": settings.minutes,
        "--learning-rate": settings.learning_rate,
    }
    for option, value in numbers.items():
        if value is not None and not 0 < value < math.inf:
            raise TrainingError(f"{option} must be above 0 and finite. Received: {value}.")
    if not 0 <= settings.sampling <= 1:
        raise TrainingError(f"--sampling must be 0 to 1. Received: {settings.sampling}.")
    for option, factors in _factors(settings).items():
        for name, factor in factors.items():
            if not 0 < factor < math.inf:
                raise TrainingError(
                    f"{option} {name} must be above 0 and finite. Received: {factor}."
                )
    if settings.superpose or settings.distill is not None:
        check_teachers(settings)
    if settings.trunk and settings.scheme == "none":
        raise TrainingError(
            "--trunk says which layers have one key for all tasks; under --scheme none none has.",
            "Leave one of the two out.",
        )
    if settings.batch < FEWEST_SAMPLES:
        raise TrainingError(
            f"--batch must be {FEWEST_SAMPLES} or more. Received: {settings.batch}.",
            "Batch norm needs more than one sample.",
        )
    if not 0 <= settings.seed < 2**31:
        raise TrainingError(f"--seed must be in 0 .. {2**31 - 1}. Received: {settings.seed}.")


def check_teachers(settings: Settings) -> None:
    """Refuse what cannot be learnt from teachers.

    Raises:
        TrainingError: names the option.
    """
    option = "--superpose" if settings.distill is None else "--distill"
    if not settings.baseline:
        raise TrainingError(
            f"{option} needs each task's own network, which is not trained.", "Add --baseline."
        )
    if settings.minutes is not None:
        raise TrainingError(
            f"{option} trains each task's own network first, for as many steps as the shared one.",
            "Give --epochs or --steps in place of --minutes.",
        )
    if settings.distill is not None and not 0 < settings.distill <= 1:
        raise TrainingError(f"--distill must be above 0, 1 at most. Received: {settings.distill}.")
    if not 0 < settings.temperature < math.inf:
        raise TrainingError(
            f"--temperature must be above 0 and finite. Received: {settings.temperature}."
        )


def usual_epochs(steps_per_epoch: int) -> int:
    """How many epochs to train where the user does not say."""
    return min(MOST_EPOCHS, max(FEWEST_EPOCHS, USUAL_STEPS // steps_per_epoch))


def describe(task: TaskData, channels: int, batch: int) -> RunTask:
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
        batch=batch,
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
