"""``--tasks digits,kws,mine=path/to/folder``: task names and where their data is."""

from __future__ import annotations

import difflib
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rbnn.spec.layout import MAX_TASKS, NAME_BYTES
from rbnn.spec.link import Benchmark
from rbnn.tasks.dataset import Kind
from rbnn.tasks.errors import TaskError

MAX_NAME_BYTES = NAME_BYTES - 1
Supply = Literal["embedded", "download", "data"]
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


@dataclass(frozen=True)
class KnownTask:
    """A name that needs no path.

    Args:
        name: as the user types it.
        about: one line.
        supply: ``embedded`` is generated locally; ``download`` is fetched if ``RBNN_DATA`` has no
            such set; ``data`` is only read from ``RBNN_DATA``.
        file: stem of its zip or folder in ``RBNN_DATA``.
        kind: what its samples are made from.
        benchmark: the one of MLPerf Tiny that it stands for.
    """

    name: str
    about: str
    supply: Supply
    file: str
    kind: Kind = "image"
    benchmark: Benchmark = Benchmark.NONE


KNOWN: dict[str, KnownTask] = {
    task.name: task
    for task in (
        KnownTask("digits", "handwritten digits, bundled with scikit-learn", "embedded", "digits"),
        KnownTask("words", "ten keywords spoken by espeak-ng", "embedded", "words", "audio"),
        KnownTask(
            *("cifar", "CIFAR-10, photographs", "download", "cifar10"), benchmark=Benchmark.IC01
        ),
        KnownTask(
            *("kws", "Speech Commands v0.02, 12 classes", "download", "kws", "audio"),
            benchmark=Benchmark.KWS01,
        ),
        KnownTask("gtsrb", "German traffic signs", "download", "gtsrb"),
        KnownTask("scenes", "natural scenes (Intel Image Classification)", "data", "scenes"),
        KnownTask("fashion", "Fashion-MNIST, articles of clothing", "download", "fashion"),
        KnownTask("mnist", "MNIST, handwritten digits", "download", "mnist"),
        KnownTask("emnist", "EMNIST Letters, handwritten", "download", "emnist"),
        KnownTask("fsdd", "Free Spoken Digit Dataset", "download", "fsdd", "audio"),
    )
}
ALIASES = {"cifar10": "cifar", "cifar-10": "cifar", "fashion-mnist": "fashion"}


def usual_benchmark(task: str) -> Benchmark:
    """The benchmark of MLPerf Tiny that a task of this name stands for, unless the user says."""
    return KNOWN[task].benchmark if task in KNOWN else Benchmark.NONE


@dataclass(frozen=True)
class TaskSpec:
    """A task as named on the command line; ``path`` is the user's own folder or zip."""

    name: str
    path: Path | None = None

    def __str__(self) -> str:
        return self.name if self.path is None else f"{self.name}={self.path}"


def _is_text(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:  # bytes that are not UTF-8 appear as lone surrogates
        return False
    return not any(unicodedata.category(character) == "Cc" for character in path)


def parse_spec(text: str) -> TaskSpec:
    """Read one ``name`` or ``name=path``.

    Raises:
        TaskError: unknown or unusable name, or a path that is missing.
    """
    name, equals, path = (part.strip() for part in text.strip().partition("="))
    if not name:
        raise TaskError(
            f"A task without a name: {text.strip()!r}.", f"Known tasks: {', '.join(KNOWN)}."
        )
    if not equals:
        name = ALIASES.get(name, name)
        if name not in KNOWN:
            near = difflib.get_close_matches(name, [*KNOWN, *ALIASES], n=1)
            hint = f"Did you mean {near[0]}? " if near else ""
            raise TaskError(
                f"Unknown task {name!r}.",
                f"{hint}Known tasks: {', '.join(KNOWN)}; for your own files: NAME=FOLDER.",
            )
        return TaskSpec(name)
    if len(name.encode()) > MAX_NAME_BYTES:
        raise TaskError(
            f"The task name {name!r} has {len(name.encode())} bytes.",
            f"Use a name of at most {MAX_NAME_BYTES} bytes.",
        )
    if not _NAME.fullmatch(name):
        raise TaskError(
            f"The task name {name!r} has characters that are not allowed.",
            "Use letters, digits, - and _, starting with a letter or digit.",
        )
    if not path:
        raise TaskError(f"Task {name!r} has no path after '='.", f"Write: {name}=path/to/folder")
    if not _is_text(path):
        raise TaskError(
            f"The path of the task {name!r} has characters that are not text: {path!r}.",
            "Rename the folder or zip; its name must be UTF-8 without control characters.",
        )
    return TaskSpec(name, Path(path).expanduser())


def split_names(text: str | None) -> list[str]:
    """The tasks that ``--tasks`` of a trained model names, such as ``digits,words``.

    Args:
        text: None for all tasks.

    Returns:
        Each name once, in the order given; empty for all tasks.

    Raises:
        TaskError: a name is empty, as where a shell variable was not set.
    """
    if text is None:
        return []
    names = [name.strip() for name in text.split(",")]
    if not all(names):
        raise TaskError(
            f"--tasks has an empty name: {text!r}.",
            "Name tasks of the model, such as digits,words; omit --tasks for all of them.",
        )
    return list(dict.fromkeys(names))


def parse_specs(text: str) -> list[TaskSpec]:
    """Read a comma-separated list of tasks.

    Args:
        text: such as ``cifar,kws,mine=path/to/folder``.

    Returns:
        One spec per task, in the order given. Paths are not checked yet.

    Raises:
        TaskError: no task, an unknown or unusable name, a repeated name, or too many tasks.
    """
    if not text.strip():
        raise TaskError("No task is named.", f"Known tasks: {', '.join(KNOWN)}.")
    specs = [parse_spec(part) for part in text.split(",")]
    seen: set[str] = set()
    for spec in specs:
        if spec.name in seen:
            raise TaskError(
                f"The task {spec.name!r} is named twice.",
                "Name each task once; give your own folder another name.",
            )
        seen.add(spec.name)
    if len(specs) > MAX_TASKS:
        raise TaskError(
            f"{len(specs)} tasks are named; a model holds at most {MAX_TASKS}.", "Name fewer tasks."
        )
    return specs
