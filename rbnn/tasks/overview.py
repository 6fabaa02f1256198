"""The known tasks and whether their data is available: the tables of ``rbnn tasks``."""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

from rbnn.places import cache_folder
from rbnn.programs import install_command
from rbnn.tasks import cache as store
from rbnn.tasks.dataset import TaskData
from rbnn.tasks.errors import TaskError
from rbnn.tasks.names import KNOWN, KnownTask
from rbnn.tasks.overlap import find_overlap
from rbnn.tasks.sources import find_local, missing


@dataclass(frozen=True)
class Availability:
    """Whether a known task could be loaded now, and from where or why not.

    Args:
        name: the task.
        about: one line.
        ready: whether its data is available without the network.
        where: the files, the generator or the download; or what to do if there is none.
    """

    name: str
    about: str
    ready: bool
    where: str


def _download(task: KnownTask, cache: Path) -> tuple[bool, str]:
    from rbnn.tasks.sets.catalogue import published

    source = published(task.name)
    first, *others = source.archives
    urls = f"{first.url} and {len(others)} more" if others else first.url
    if store.holds(cache, store.recipe_key(source.key)):
        return True, f"downloaded: {urls}"
    return False, f"download on first use, {source.megabytes} MB: {urls}"


def _state(task: KnownTask, cache: Path) -> tuple[bool, str]:
    if task.name == "words" and shutil.which("espeak-ng") is None:
        return False, f"needs espeak-ng: {install_command('espeak-ng')}"
    if task.supply == "embedded":
        return True, "embedded"
    try:
        path = find_local(task)
    except TaskError as error:
        return False, str(error)
    if path is not None:
        return True, str(path)
    return _download(task, cache) if task.supply == "download" else (False, missing(task).fix)


def overview(cache: Path | None = None) -> list[Availability]:
    """All known tasks, in the order in which messages list them.

    Args:
        cache: as in :func:`rbnn.tasks.load.load`.
    """
    folder = cache_folder() if cache is None else cache
    return [Availability(t.name, t.about, *_state(t, folder)) for t in KNOWN.values()]


def describe_inputs(data: TaskData) -> str:
    """What the samples of a task were and became, for people to read."""
    size = "x".join(map(str, data.sides))
    match data.kind:
        case "audio":
            return f"one second of sound, as a {size} log-mel picture"
        case "image":
            return f"{'colour' if data.channels == 3 else 'grey'} pictures scaled to {size}"
        case "tensor":
            return f"tensors of {size}x{data.channels} bytes, as they are"
        case _:
            assert data.series is not None
            return (
                f"windows of {data.series.window:,} time steps of {data.series.channels} channels, "
                f"as {size}x{data.channels}"
            )


def describe(data: TaskData) -> dict[str, object]:
    """A loaded task's figures for JSON."""
    overlap = find_overlap(data)
    train, test = (Counter(split.labels.tolist()) for split in (data.train, data.test))
    return {
        "name": data.name,
        "kind": data.kind,
        "channels": data.channels,
        "input": [*data.sides, data.channels],
        **({} if data.series is None else {"series": asdict(data.series)}),
        "train": len(data.train),
        "test": len(data.test),
        "classes": [
            {"label": label, "train": train[number], "test": test[number]}
            for number, label in enumerate(data.labels)
        ],
        "origin": data.origin,
        "source": data.source,
        "fingerprint": data.fingerprint,
        "test_in_train": {"equal": overlap.equal, "alike": overlap.alike},
    }
