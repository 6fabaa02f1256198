"""What a model takes of flash and RAM: the shared part, each task's own; what single-task networks
would take.
"""

from __future__ import annotations

import dataclasses

from rbnn.container.container import SEALED_OVERHEAD, Container
from rbnn.container.plan import align, plan
from rbnn.frozen import Frozen
from rbnn.nets.topology import Topology
from rbnn.spec.layout import CONTAINER_HEADER, LAYER, LICENCE_BYTES, TASK


class TaskSize(Frozen):
    """Flash of one task, in bytes.

    ``own`` is what the task adds to the shared part: ``record`` in the task table, ``sealed`` block
    with its alignment, and one ``licence`` in the provisioning partition. ``separate`` is what its
    single-task network would take, unsealed.
    """

    name: str
    record: int
    sealed: int
    licence: int
    own: int
    separate: int


class Sizes(Frozen):
    """Flash and RAM of a model, in bytes: container = shared + records + sealed blocks."""

    container: int
    shared: int
    tasks: tuple[TaskSize, ...]
    arena: int
    work: int
    params: int

    @property
    def separate(self) -> int:
        """Flash of single-task networks for the same tasks."""
        return sum(task.separate for task in self.tasks)

    @property
    def reconfigurable(self) -> int:
        """Flash of the shared part and of all tasks' own parts."""
        return self.shared + sum(task.own for task in self.tasks)


def single_task_bytes(topology: Topology, classes: int, params_bytes: int) -> int:
    """Flash of a single-task network, unsealed.

    Args:
        topology: with padded channels.
        classes: of the task.
        params_bytes: of its parameters, class names included.
    """
    *hidden, last = topology.layers
    alone = dataclasses.replace(
        topology,
        max_classes=classes,
        layers=(*hidden, dataclasses.replace(last, out_shape=(1, 1, classes))),
    )
    tables = CONTAINER_HEADER.size + LAYER.size * len(alone.layers)
    return tables + plan(alone).weights_bytes + params_bytes


def measure(container: Container) -> Sizes:
    """Sizes of a container's parts."""
    tasks = []
    for task in container.tasks:
        sealed = align(len(task.sealed))
        tasks.append(
            TaskSize(
                name=task.name,
                record=TASK.size,
                sealed=sealed,
                licence=LICENCE_BYTES,
                own=TASK.size + sealed + LICENCE_BYTES,
                separate=single_task_bytes(
                    container.topology, task.classes, len(task.sealed) - SEALED_OVERHEAD
                ),
            )
        )
    tables = CONTAINER_HEADER.size + LAYER.size * len(container.topology.layers)
    return Sizes(
        container=len(container.data),
        shared=align(tables) + container.plan.weights_bytes,
        tasks=tuple(tasks),
        arena=container.plan.arena_bytes,
        work=container.plan.work_bytes,
        params=max(len(task.sealed) for task in container.tasks) - SEALED_OVERHEAD,
    )
