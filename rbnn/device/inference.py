"""Files in, labels out: the active task of a board applied to pictures and sounds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True)
class ActiveInput:
    """The active task, and what it takes: ``kind`` is None if that is not known here."""

    name: str
    task: ActiveTask
    kind: Kind | None

    @property
    def channels(self) -> int:
        """1 or 3."""
        return self.task.input_shape[2]

    def require(self, file: str, kind: Kind) -> None:
        """Refuse a file of the other kind.

        Raises:
            TaskError: a picture for a task that expects sounds, or the other way round.
        """
        if self.kind is None or kind == self.kind:
            return
        fix = f"Name a {KIND_NAMES[self.kind]}, or switch to another task: rbnn switch TASK"
        if self.name in KNOWN:
            fix += (
                f" (if {self.name} is your own task of that name, name the folder of its run: "
                "--runs)"
            )
        raise TaskError(
            f"{file} is a {KIND_NAMES[kind]}, but the active task {self.name} expects "
            f"{KIND_NAMES[self.kind]}s.",
            fix,
        )

    def unknown_kind(self, runs: Path) -> str:
        """What to tell the user if ``kind`` is None."""
        return (
            f"Whether task {self.name} expects grey pictures or sounds is not known here: {runs} "
            "does not hold its run and data. Files of the wrong kind get meaningless labels."
        )


def active_input(session: Session, runs: Path) -> ActiveInput:
    """What the board's active task takes.

    Args:
        session: a board with an active task.
        runs: folder of all runs; tells whether the task expects pictures or sounds.

    Raises:
        DeviceError: no task is active.
        LinkError: the board was unplugged, or its answers make no sense.
    """
    active = session.active_task()
    name = _active_name(session)
    channels = active.input_shape[2]
    if channels not in (1, 3):
        raise LinkError(
            f"Task {name} takes inputs of {channels} channels; files give 1 or 3.",
            "Load the input by hand: rbnn monitor",
        )
    return ActiveInput(name, active, input_kind(session, name, active, runs))


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
    active = active_input(session, runs)
    for file in files:
        active.require(str(file), sample_kind(file))
    samples = [load_sample(file, active.channels) for file in files]
    if active.kind is None:
        say(active.unknown_kind(runs))
    return (
        FileInference(
            file=str(file), **dict(infer_sample(session, active.name, active.task, sample))
        )
        for file, sample in zip(files, samples, strict=True)
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
    return (infer_sample(session, name, active, sample) for sample in batch)


def _active_name(session: Session) -> str:
    return next((task.name for task in session.tasks() if task.state == "active"), "")


def infer_sample(session: Session, name: str, active: ActiveTask, sample: Images) -> TaskInference:
    """Run the active task on one input of its shape.

    Args:
        session: the board.
        name: the active task's.
        active: its class names.
        sample: uint8.

    Raises:
        DeviceError: the board refuses, for instance at the end of a licence's limit.
        LinkError: the board was unplugged, or its answers make no sense.
    """
    inference = session.infer(sample.tobytes())
    if len(inference.scores) != len(active.labels):
        raise LinkError(
            f"The board gave {len(inference.scores)} scores for {len(active.labels)} classes.",
            "Write the firmware again: rbnn flash",
        )
    pairs = zip(active.labels, inference.scores, strict=True)
    return TaskInference(
        us=inference.us if inference.instructions is None else None,
        instructions=inference.instructions,
        task=name,
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
