"""Single-task networks: shape, data, sub-batches and steps of the shared one; no key."""

from __future__ import annotations

import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path

from rbnn.files import write_atomic
from rbnn.runs.errors import TrainingError
from rbnn.runs.figures import read_figures, unfinished
from rbnn.runs.run import Run
from rbnn.runs.settings import AUTO
from rbnn.runs.teachers import FOLDER
from rbnn.train.float_network import cached_teacher

FORGOTTEN = (
    "The single-task networks and float teachers of this run were deleted after its training "
    "(rbnn train --forget-own).\n"
)


@dataclass(frozen=True)
class TaskSharing:
    """Test accuracies of one task; ``own`` is that of its single-task network, None without one."""

    task: str
    classes: int
    shared: float
    own: float | None

    @property
    def difference(self) -> float | None:
        """Shared minus own."""
        return None if self.own is None else self.shared - self.own


def prepare_baseline(run: Run, task: str, steps: int) -> Run:
    """The run folder of the single-task network of ``task``; made when missing.

    Args:
        run: the shared run.
        task: name of one of its tasks.
        steps: that the shared run takes.
    """
    own = run.baseline(task)
    if not own.config_file.exists():
        own.write_config(run.config().single_task(task, steps))
    return own


def forget_own(run: Run) -> list[Path]:
    """Delete the networks that no key protects: the single-task networks and the float teachers.

    Their figures stay, and the shared network. The run cannot be trained further.

    Args:
        run: trained to its end.

    Returns:
        What was deleted.

    Raises:
        TrainingError: it is not finished, or something cannot be deleted.
    """
    if note := unfinished(run):
        raise TrainingError(note, "Train it to its end first; its teachers are needed until then.")
    config = run.config()
    own = [run.baseline(task.name) for task in config.tasks]
    found = [one for run in own for one in (run.parameters_file, run.checkpoint_folder)]
    found.append(run.folder / FOLDER)
    for task in config.tasks:
        if config.teachers.get(task.name) == AUTO:
            found.append(cached_teacher(task.fingerprint))
    found = [one for one in found if one.exists()]
    try:
        # First the note: a training that starts again would make the networks again.
        write_atomic(run.forgotten_file, FORGOTTEN)
        for one in found:
            shutil.rmtree(one) if one.is_dir() else one.unlink()
    except OSError as error:
        raise TrainingError(
            f"Cannot delete {error.filename}: {error.strerror}.",
            "Make its folder writable, then run the command again.",
        ) from error
    return found


def unprotected(run: Run) -> str:
    """What the owner of a run must know that holds networks without a key; empty otherwise."""
    own = [run.baseline(task.name).parameters_file for task in run.config().tasks]
    if not any(one.exists() for one in (*own, run.folder / FOLDER)):
        return ""
    return (
        f"{run.folder} holds single-task networks or teachers that no key protects. When you need "
        f"them no more: rbnn train --resume {shlex.quote(str(run.folder))} --forget-own"
    )


def compare(run: Run) -> list[TaskSharing]:
    """Last figures of the shared network and of the single-task ones, task by task."""
    shared = read_figures(run)[-1]
    rows = []
    for task in run.config().tasks:
        own = read_figures(run.baseline(task.name))
        rows.append(
            TaskSharing(
                task.name,
                len(task.labels),
                shared.tasks[task.name].test_accuracy,
                own[-1].tasks[task.name].test_accuracy if own else None,
            )
        )
    return rows
