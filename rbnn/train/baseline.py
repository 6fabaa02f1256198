"""Each task's own network: same topology, data, sub-batches and steps, no key, nothing shared."""

from __future__ import annotations

from dataclasses import dataclass

from rbnn.runs.run import Run, RunConfig
from rbnn.train.figures import read_figures


@dataclass(frozen=True)
class TaskSharing:
    """Test accuracies of one task; ``own`` is None where no baseline was trained."""

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
        own.write_config(baseline_config(run.config(), task, steps))
    return own


def baseline_config(config: RunConfig, task: str, steps: int) -> RunConfig:
    """The config of the single-task network of ``task``; arguments as :func:`prepare_baseline`."""
    entry = next(entry for entry in config.tasks if entry.name == task)
    return config.model_copy(
        update={
            "tasks": (entry.model_copy(update={"teacher": None}),),
            "batch": entry.batch,
            "sampling": 0.0,
            "shares": {},
            "weights": {},
            "scheme": "none",
            "trunk": 0,
            "superpose": False,
            "distill": None,
            "epochs": None,
            "steps": steps,
            "minutes": None,
            "baseline": False,
        }
    )


def compare(run: Run) -> list[TaskSharing]:
    """Last figures of the shared run beside those of its baselines, task by task."""
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
