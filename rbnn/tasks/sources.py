"""Where to get a known set: from ``$RBNN_DATA``, or else from its official download."""

from __future__ import annotations

import os
from pathlib import Path

from rbnn.tasks.errors import TaskError
from rbnn.tasks.names import KNOWN, KnownTask

VARIABLE = "RBNN_DATA"


def data_folder() -> Path | None:
    """The folder that ``$RBNN_DATA`` names, or None if it is not set.

    Raises:
        TaskError: it names something that is not a folder.
    """
    value = os.environ.get(VARIABLE, "")
    if not value:
        return None
    folder = Path(value).expanduser()
    if not folder.is_dir():
        raise TaskError(
            f"{VARIABLE} is {value!r}, which is not a folder.",
            f"Point {VARIABLE} at a folder with <task>.zip files, or unset it.",
        )
    return folder


def find_local(task: KnownTask) -> Path | None:
    """The set's zip or folder in ``$RBNN_DATA``, or None."""
    folder = data_folder()
    if folder is None:
        return None
    for stem in dict.fromkeys((task.file, task.name)):
        for path in (folder / f"{stem}.zip", folder / stem):
            if path.exists():
                return path.resolve()
    return None


def find_again(spec: str) -> str:
    """Where the data of a spec are on this machine, if its path was of another one.

    Args:
        spec: ``name`` or ``name=path``, as a run or a comparison keeps it.

    Returns:
        ``spec`` where the path exists or none is found; otherwise one with a folder or zip of the
        same name in ``$RBNN_DATA``, or only the known name whose set that is.
    """
    name, _, path = spec.partition("=")
    place = Path(path).expanduser()
    if not path or place.exists():
        return spec
    folder = data_folder()
    if folder is not None and (folder / place.name).exists():
        return f"{name}={folder / place.name}"
    known = KNOWN.get(name)
    return name if known and place.stem in (known.file, known.name) else spec


def missing(task: KnownTask) -> TaskError:
    """The error for a set that is only read from ``$RBNN_DATA`` and is not there."""
    folder = data_folder()
    state = "is not set" if folder is None else f"is {folder} and does not contain it"
    return TaskError(
        f"The task {task.name} cannot be downloaded without an account, so it is only read from "
        f"{VARIABLE}, which {state}.",
        f"Set {VARIABLE} to a folder that holds {task.file}.zip or {task.file}/, with "
        f"train/<class>/ and test/<class>/ in it; or write {task.name}=path/to/folder.",
    )
