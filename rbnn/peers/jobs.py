"""Which networks are trained, in which order, and where each is stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rbnn.peers.plan import PeerPlan
from rbnn.peers.shapes import (
    PeerShape,
    PeerTask,
    separate_scale,
    separate_shapes,
    trunk_scale,
    trunk_shape,
)
from rbnn.runs.config import RunConfig
from rbnn.tasks import TaskData

Row = Literal["shared", "binary", "int8", "published", "trunk"]
SHARED, BINARY, INT8, PUBLISHED, TRUNK = "shared", "binary", "int8", "published", "trunk"
SAME_FLASH: tuple[Row, ...] = ("binary", "int8", "trunk")
ALL = "all"
"""In place of a task's name: the one network of all tasks."""


@dataclass(frozen=True)
class Job:
    """One network to train.

    Args:
        row: of the table.
        name: of its task, or :data:`ALL`.
        tasks: names.
        shape: of an int8 network; None for a binary one.
        scale: of its width.
    """

    row: Row
    name: str
    tasks: tuple[str, ...]
    shape: PeerShape | None = None
    scale: float | None = None

    @property
    def path(self) -> Path:
        """Its folder, relative to the comparison's."""
        return Path(self.row) if self.row == SHARED else Path(self.row, self.name)

    @property
    def title(self) -> str:
        """What the user is shown."""
        what = "binary" if self.shape is None else self.shape.text
        return f"{self.name if self.name != ALL else f'{len(self.tasks)} tasks'}, {what}"

    def work(self, plan: PeerPlan, binary_macs: int) -> float:
        """Multiply-accumulates of a whole training, in units that only serve to compare them."""
        per_step = sum(plan.batches[name] for name in self.tasks)
        return plan.steps * per_step * (binary_macs if self.shape is None else self.shape.macs)


def shared_job(plan: PeerPlan) -> Job:
    """What is only measured: the run itself."""
    return Job("shared", ALL, plan.tasks)


def described(data: Sequence[TaskData]) -> list[PeerTask]:
    """What the shapes of the int8 networks depend on."""
    return [
        PeerTask(task.name, task.kind, task.channels, len(task.labels), task.sides) for task in data
    ]


def jobs(plan: PeerPlan, tasks: Sequence[PeerTask], flash: int) -> list[Job]:
    """Every network to train: first those in the same flash.

    Args:
        plan: of the comparison.
        tasks: of the plan, in its order.
        flash: of the shared set, bytes.

    Raises:
        RbnnError: no int8 networks fit into the flash.
    """
    found = []
    scale = separate_scale(tasks, flash)
    for name, shape in separate_shapes(tasks, scale).items():
        found.append(Job("int8", name, (name,), shape, scale))
    if len(tasks) > 1:
        wide = trunk_scale(tasks, flash)
        found.append(Job("trunk", ALL, plan.tasks, trunk_shape(tasks, wide), wide))
    if plan.binary:
        found += [Job("binary", name, (name,)) for name in plan.tasks]
    for name, shape in separate_shapes(tasks, 1.0).items():
        found.append(Job("published", name, (name,), shape, 1.0))
    return found


def planned_paths(plan: PeerPlan) -> dict[Row, list[Path]]:
    """Where the networks of each row are, without looking at the data."""
    rows: dict[Row, list[Path]] = {"shared": [Path(SHARED)]}
    if plan.binary:
        rows["binary"] = [Path(BINARY, name) for name in plan.tasks]
    rows["int8"] = [Path(INT8, name) for name in plan.tasks]
    if len(plan.tasks) > 1:
        rows["trunk"] = [Path(TRUNK, ALL)]
    rows["published"] = [Path(PUBLISHED, name) for name in plan.tasks]
    return rows


def peer_weights(config: RunConfig, plan: PeerPlan) -> dict[str, float]:
    """Factor of each task's loss, as in the run."""
    return {name: config.weight(name) for name in plan.tasks}
