"""Whether the board's active task expects pictures or sounds.

The device knows a sensor series, and otherwise only the shape of its input, which may be that of a
picture, a sound or a tensor. The rest is what the host knows: the task's data as named in the run
that the board holds, or what a built-in task of that name is made from.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from rbnn.device.answers import ActiveTask
from rbnn.device.session import Session
from rbnn.errors import RbnnError
from rbnn.tasks.dataset import Kind
from rbnn.tasks.files import kind_of
from rbnn.tasks.names import KNOWN, parse_spec
from rbnn.tasks.tree import open_tree

if TYPE_CHECKING:  # a task of colour pictures needs no run to be read
    from rbnn.runs.config import RunTask

KIND_NAMES: dict[Kind, str] = {
    "image": "picture",
    "audio": "sound",
    "series": "sensor series",
    "tensor": "tensor",
}


def input_kind(session: Session, task: str, active: ActiveTask, runs: Path) -> Kind | None:
    """What the active task's data were made from.

    Args:
        session: the board.
        task: name of its active task.
        active: its input.
        runs: folder of all runs.

    Returns:
        None if neither the device nor a run says so, and no built-in task has that name.
    """
    if active.series is not None:
        return "series"
    trained = _find_task(session, task, runs)
    if trained is not None:
        return _kind_of_data(trained)
    if task in KNOWN:
        return KNOWN[task].kind
    return "image" if active.input_shape[2] == 3 else None


def _find_task(session: Session, task: str, runs: Path) -> RunTask | None:
    """The entry of ``task`` in the run whose model the board holds."""
    files = [*runs.glob("*/config.json"), *runs.glob("*/baseline/*/config.json")]
    if not files:
        return None
    from rbnn.runs.run import Run

    model_id = session.identify().model_id
    for file in files:
        with contextlib.suppress(RbnnError):  # a run of another version is not this board's
            config = Run(file.parent).config()
            if config.model_id == model_id:
                return next((entry for entry in config.tasks if entry.name == task), None)
    return None


def _kind_of_data(task: RunTask) -> Kind | None:
    """What the task's samples were made from; None if its own data are no longer there."""
    try:
        spec = parse_spec(task.source)
        if spec.path is None:
            return KNOWN[spec.name].kind
        with contextlib.closing(open_tree(spec.path)) as tree:
            name = next(name for name in tree.names() if not name.endswith("/"))
            return kind_of(name, tree.where(name), lambda: tree.read(name))
    except (RbnnError, StopIteration):
        return None
