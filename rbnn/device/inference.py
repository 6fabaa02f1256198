"""Files in, labels out: the active task of a board applied to pictures and sounds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from rich.cells import cell_len

from rbnn.device.answers import ActiveTask
from rbnn.device.duration import Timed
from rbnn.device.errors import LinkError
from rbnn.device.input_kind import KIND_NAMES, input_kind
from rbnn.device.session import Session
from rbnn.device.target import Say
from rbnn.frozen import Frozen
from rbnn.tasks.dataset import Images, Kind
from rbnn.tasks.errors import TaskError
from rbnn.tasks.names import KNOWN
from rbnn.tasks.sample import load_sample, sample_kind

SHOWN_SCORES = 3


class LabelScore(Frozen):
    """One class and its score in 0..1."""

    label: str
    score: float


class TaskInference(Timed):
    """The board's result for one input, and how long the inference took."""

    task: str
    """The active task, which gave the answer."""
    label: str
    scores: tuple[LabelScore, ...]
    """Best first."""


class FileInference(TaskInference):
    """The board's result for one file."""

    file: str


def infer_files(
    session: Session, files: Sequence[Path], runs: Path, say: Say
) -> Iterator[FileInference]:
    """Run the active task on files. All are read and checked before this function returns.

    Args:
        session: a board with an active task.
        files: PNG, JPEG or WAV.
        runs: folder of all runs; tells whether the task expects pictures or sounds.
        say: told if that is not known.

    Returns:
        The result of each file, as soon as the board gives it.

    Raises:
        DeviceError: no task is active.
        LinkError: the board was unplugged, or its answers make no sense.
        TaskError: a file is missing, cannot be read, or is a picture for a task that expects
            sounds, or the other way round.
    """
    active = session.active_task()
    name = _active_name(session)
    channels = active.input_shape[2]
    if channels not in (1, 3):
        raise LinkError(
            f"Task {name} takes inputs of {channels} channels; files give 1 or 3.",
            "Load the input by hand: rbnn monitor",
        )
    kind = input_kind(session, name, active, runs)
    for file in files:
        _require_kind(file, name, kind)
    samples = [load_sample(file, channels) for file in files]
    if kind is None:
        say(
            f"Whether task {name} expects grey pictures or sounds is not known here: {runs} does "
            "not hold its run and data. Files of the wrong kind get meaningless labels."
        )
    answers = _infer(session, name, active, samples)
    return (
        FileInference(file=str(file), **dict(answer))
        for file, answer in zip(files, answers, strict=True)
    )


def infer_images(session: Session, images: Images) -> Iterator[TaskInference]:
    """Run the active task on inputs; their shape is checked before this function returns.

    Args:
        session: a board with an active task.
        images: uint8, (n, height, width, channels) as the active task takes them, or one without
            the first axis.

    Returns:
        The result of each, as soon as the board gives it.

    Raises:
        DeviceError: no task is active.
        LinkError: the board was unplugged, or its answers make no sense.
        TaskError: the array has another shape or type.
    """
    active = session.active_task()
    name = _active_name(session)
    batch = images[np.newaxis] if images.ndim == 3 else images
    if batch.dtype != np.uint8 or batch.ndim != 4 or batch.shape[1:] != active.input_shape:
        raise TaskError(
            f"Task {name} takes uint8 of shape {active.input_shape}, or a batch of them. Received: "
            f"{images.dtype} of shape {images.shape}.",
            "A picture or a sound is made to fit by `rbnn infer FILE`.",
        )
    return _infer(session, name, active, batch)


def _active_name(session: Session) -> str:
    return next((task.name for task in session.tasks() if task.state == "active"), "")


def _require_kind(file: Path, task: str, expected: Kind | None) -> None:
    kind = sample_kind(file)
    if expected is None or kind == expected:
        return
    fix = f"Name a {KIND_NAMES[expected]}, or switch to another task: rbnn switch TASK"
    if task in KNOWN:
        fix += f" (if {task} is your own task of that name, name the folder of its run: --runs)"
    raise TaskError(
        f"{file} is a {KIND_NAMES[kind]}, but the active task {task} expects "
        f"{KIND_NAMES[expected]}s.",
        fix,
    )


def _infer(
    session: Session,
    task: str,
    active: ActiveTask,
    samples: Iterable[Images],
) -> Iterator[TaskInference]:
    for sample in samples:
        inference = session.infer(sample.tobytes())
        if len(inference.scores) != len(active.labels):
            raise LinkError(
                f"The board gave {len(inference.scores)} scores for {len(active.labels)} classes.",
                "Write the firmware again: rbnn flash",
            )
        pairs = zip(active.labels, inference.scores, strict=True)
        yield TaskInference(
            us=inference.us if inference.instructions is None else None,
            instructions=inference.instructions,
            task=task,
            label=active.labels[inference.best],
            scores=tuple(
                LabelScore(label=label, score=score)
                for label, score in sorted(pairs, key=lambda pair: -pair[1])
            ),
        )


def listing(files: Sequence[Path], found: Iterator[FileInference]) -> Iterator[str]:
    """The results as lines of a table, each as soon as it is there.

    Args:
        files: all files, for the width of their column.
        found: their results.
    """
    width = max(cell_len(name) for name in ("file", *map(str, files)))
    wide = 0
    for one in found:
        if not wide:
            wide = max(cell_len(score.label) for score in one.scores)
            wide = max(wide, len("label"))
            yield f"task {one.task}"
            yield "  ".join((_pad("file", width), _pad("label", wide), _pad("took", 34), "scores"))
        best = ", ".join(f"{s.label} {s.score:.1%}" for s in one.scores[:SHOWN_SCORES])
        yield "  ".join((_pad(one.file, width), _pad(one.label, wide), _pad(one.took, 34), best))


def _pad(text: str, cells: int) -> str:
    return text + " " * (cells - cell_len(text))
