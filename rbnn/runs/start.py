"""Starts a run: checks the settings, makes the folder, writes config and secrets."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

import numpy as np

from rbnn.errors import RbnnError
from rbnn.nets.own.file import OwnNetwork
from rbnn.runs.config import FloatTeacher, RunConfig, RunSeries, RunTask
from rbnn.runs.errors import TrainingError
from rbnn.runs.network import choose_network, expected_network, shape_of
from rbnn.runs.run import Run, new_run
from rbnn.runs.settings import FEWEST_SAMPLES, TABLE, Precision, Settings
from rbnn.runs.teachers import place_teachers
from rbnn.spec.key_stream import MODEL_ID_BYTES, SECRET_BYTES
from rbnn.spec.layout import Adapter
from rbnn.tasks import TaskData, TaskSpec, find_again
from rbnn.tasks.load import Progress, load

MOST_EPOCHS = 20
FEWEST_EPOCHS = 10
USUAL_STEPS = 15_000
"""Without ``--epochs``: 20 epochs; fewer where that is more than 15,000 steps, but at least 10."""


def start_run(
    root: Path,
    data: Sequence[TaskData],
    settings: Settings,
    *,
    secrets: dict[str, bytes] | None = None,
    model_id: bytes | None = None,
    today: date | None = None,
    examined: Mapping[str, FloatTeacher] | None = None,
    recipe: str | None = None,
    own: OwnNetwork | None = None,
) -> Run:
    """Make a run folder that :class:`rbnn.train.trainer.Trainer` can train.

    Args:
        root: folder of all runs.
        data: the tasks.
        settings: the user's choices.
        secrets: 32 bytes by task, for tests; drawn afresh without.
        model_id: 16 bytes, for tests; drawn afresh without.
        today: date in the folder's name.
        examined: what the files of ``settings.teachers`` are, by task, from
            :func:`rbnn.train.float_teacher.examine`.
        recipe: the name of the one that ``settings`` came from, to be recorded.
        own: the network in place of an architecture; ``settings`` name its file.

    Raises:
        RbnnError: a setting is unusable or the folder cannot be written.
    """
    config = configure(data, settings, model_id or os.urandom(MODEL_ID_BYTES), own)
    config = config.model_copy(update={"recipe": recipe})
    run = new_run(root, [task.name for task in data], today or date.today())
    if config.taught:
        tasks = (
            one
            if one.name in config.teachers and not config.superpose
            else one.model_copy(update={"teacher": run.baseline(one.name).relative_to(run)})
            for one in config.tasks
        )
        config = config.model_copy(update={"tasks": tuple(tasks)})
    try:
        config = place_teachers(run, config, examined or {})
        write_run(run, config, secrets)
    except RbnnError:
        shutil.rmtree(run.folder, ignore_errors=True)  # made above, holds nothing else yet
        raise
    return run


def configure(
    data: Sequence[TaskData],
    settings: Settings,
    model_id: bytes,
    own: OwnNetwork | None = None,
) -> RunConfig:
    """The config of a run with these settings.

    Args:
        data: the tasks.
        settings: the user's choices.
        model_id: 16 bytes.
        own: see :func:`start_run`.

    Raises:
        RbnnError: a setting is unusable.
    """
    check(settings, own)
    shape = shape_of(data, settings)
    names = [task.name for task in data]
    check_names(settings, names)
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
    chosen_for_the_user = {
        **choose_network(settings, own, shape, max(len(task.labels) for task in data)),
        "epochs": epochs,
        "precision": (usual_precision() if settings.precision == "auto" else settings.precision),
    }
    config = RunConfig(
        **{**settings.model_dump(), **chosen_for_the_user},
        tasks=tuple(
            describe(task, shape[2], batch) for task, batch in zip(data, batches, strict=True)
        ),
        input_shape=shape,
        model_id=model_id.hex(),
        steps_per_epoch=steps_per_epoch,
    )
    # Refuses a width, a depth or a trunk that does not work before anything is written.
    config.topology().trunk_layers(config.trunk)
    return config


def check(settings: Settings, own: OwnNetwork | None = None) -> None:
    """Refuse settings that cannot work.

    Args:
        settings: the user's choices.
        own: see :func:`start_run`.

    Raises:
        RbnnError: names the option, or the place in the network's file.
    """
    for setting, value in settings.effective():
        setting.check(value)
        if setting.needs and not any(getattr(settings, name) for name in setting.needs):
            needed = " or ".join(TABLE[name].option for name in setting.needs)
            raise TrainingError(
                f"{setting.option} works only with {needed}.",
                f"Add {needed}, or leave {setting.option} out.",
            )
    if settings.taught and settings.minutes is not None:
        option = "--superpose" if settings.distill is None else "--distill"
        raise TrainingError(
            f"{option} first trains the single-task networks, for as many steps as the shared "
            "network takes; with --minutes that number is not known.",
            "Use --epochs or --steps in place of --minutes.",
        )
    if settings.trunk and settings.scheme == "none":
        raise TrainingError(
            "--trunk gives layers one key for all tasks; with --scheme none no layer has a key.",
            "Leave one of the two out.",
        )
    # The network and its trunk hardly depend on the data, which may take minutes to load.
    form = settings.form("")
    likely = expected_network(settings, own, (*form.sides, form.channels or 1))
    likely.trunk_layers(settings.trunk)


def check_names(settings: Settings, names: Sequence[str]) -> None:
    """Refuse what was given for tasks that are not among ``names``, such as a factor or a window.

    Raises:
        TrainingError: names the option and the task.
    """
    for setting, value in settings.effective():
        unknown = sorted(set(value) - set(names)) if isinstance(value, Mapping) else []
        if unknown:
            raise TrainingError(
                f"{setting.option} names {unknown[0]!r}, which is none of the tasks.",
                f"The tasks are {', '.join(names)}.",
            )


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
        factors: by which the shares are multiplied; None for 1.
    """
    weights = np.asarray(sizes, np.float64) ** sampling
    if factors is not None:
        weights *= factors
    shares = batch * len(sizes) * weights / weights.sum()
    return [max(FEWEST_SAMPLES, int(share)) for share in np.rint(shares)]


def usual_precision() -> Precision:
    """``bfloat16`` where a CPU of this machine multiplies it at full speed, else ``float32``."""
    try:
        flags = Path("/proc/cpuinfo").read_text()
    except OSError:
        return "float32"
    return "bfloat16" if {"avx512_bf16", "amx_bf16"} & set(flags.split()) else "float32"


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
        front_end=task.front_end,
        series=None if task.series is None else RunSeries(**vars(task.series)),
    )


def load_data(config: RunConfig, progress: Progress | None = None) -> list[TaskData]:
    """The data of a run, found again.

    Raises:
        RbnnError: they are missing, or no longer those that the run started with.
    """
    found = []
    for task in config.tasks:
        source = find_again(task.source)
        _, _, path = source.partition("=")
        if path and not Path(path).exists():
            raise TrainingError(
                f"The data of task {task.name} are not at {path}.",
                f"Set RBNN_DATA to a folder that holds {Path(path).name}, or say where they are: "
                f"rbnn train --resume RUN --tasks {task.name}=PATH",
            )
        data = load(source, form=config.form(task.name), progress=progress)
        # Pictures of sounds by an earlier front end differ by 1 of 255 here and there: which
        # sounds they were made from can no longer be told.
        earlier = data.front_end and not task.front_end and data.labels == task.labels
        if task.fingerprint and data.fingerprint != task.fingerprint and not earlier:
            raise TrainingError(
                f"The data of task {task.name} ({data.origin}) have changed since the run started.",
                "Restore them, or start a new run.",
            )
        found.append(data)
    return found


def require_trainable(run: Run, config: RunConfig) -> None:
    """Refuse to train a run that was imported.

    Raises:
        TrainingError: it was.
    """
    if config.imported is not None:
        raise TrainingError(
            f"{run.folder} was imported from {config.imported.file}; rbnn does not train it.",
            "Train the model on in Keras and import it again, or train a run of its network from "
            "the start: rbnn train",
        )


def moved(config: RunConfig, specs: Sequence[TaskSpec]) -> RunConfig:
    """The config of a run whose data are in other places than when it started.

    Args:
        config: of the run.
        specs: tasks of the run, with their places.

    Raises:
        TrainingError: the run does not have such a task.
    """
    places = {spec.name: spec for spec in specs}
    names = [task.name for task in config.tasks]
    if unknown := sorted(set(places) - set(names)):
        raise TrainingError(
            f"The run has no task {unknown[0]!r}; a resumed run keeps its tasks.",
            f"Its tasks are {', '.join(names)}. --tasks says where their data are now.",
        )

    def source(task: RunTask) -> str:
        spec = places.get(task.name)
        if spec is None or spec.path is None:
            return task.source if spec is None else spec.name
        return f"{spec.name}={spec.path.resolve()}"

    tasks = tuple(task.model_copy(update={"source": source(task)}) for task in config.tasks)
    return config.model_copy(update={"tasks": tasks})
