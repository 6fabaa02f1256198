"""``rbnn eval --board``: every task of a run, measured on the board that it was flashed to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from rich.table import Table

from rbnn.device.errors import PortError
from rbnn.device.evaluation import BoardAccuracy, evaluate_on_board, pick
from rbnn.device.session import Session
from rbnn.device.switching import switch_task
from rbnn.errors import RbnnError
from rbnn.keys.user_key import UserKey
from rbnn.runs.run import Run
from rbnn.tasks import TaskData

Progress = Callable[[str, int, int], None]
"""Called as ``progress(what, done, total)``."""


def evaluate_run(
    session: Session,
    run: Run,
    data: Sequence[TaskData],
    samples: int,
    user_key: Callable[[], UserKey] | None,
    progress: Progress | None = None,
) -> Iterator[BoardAccuracy]:
    """Switch to each task in turn and run its test samples.

    Args:
        session: the board.
        run: the run that was flashed.
        data: its tasks.
        samples: test samples per task; 0 for all.
        user_key: called if a task is locked; None if the user gave no key.
        progress: told of each sample.

    Yields:
        Each task's results, as soon as it is measured.

    Raises:
        RbnnError: the board holds another model, or refuses a task.
    """
    if samples < 0:
        raise RbnnError(
            f"--samples must be 0 or more. Received: {samples}.", "Omit it for the default."
        )
    carried = session.identify().model_id
    if carried != run.config().model_id:
        raise PortError(
            f"The board holds model {carried[:8]}..., not that of {run.folder}.",
            "Name the run that was flashed, or write this one with: rbnn flash",
        )
    for task in data:
        switch_task(session, task.name, user_key)
        chosen = pick(len(task.test), samples)
        images, labels = task.test.images[chosen], task.test.labels[chosen]
        tell = partial(progress, f"{task.name}: on the board") if progress else None
        yield evaluate_on_board(session, task.name, images, labels, tell)


def accuracy_table(found: Sequence[BoardAccuracy]) -> Table:
    """Accuracy and duration of an inference by task."""
    table = Table("task", title="Test accuracy on the board")
    for name in ("samples", "accuracy", "an inference takes"):
        table.add_column(name, justify="right")
    for one in found:
        table.add_row(one.task, str(one.samples), f"{one.accuracy:.2%}", one.took)
    return table
