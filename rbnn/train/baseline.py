"""Single-task networks: shape, data, sub-batches and steps of the shared one; no key."""

from __future__ import annotations

from dataclasses import dataclass

from rbnn.runs.figures import read_figures
from rbnn.runs.run import Run


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
