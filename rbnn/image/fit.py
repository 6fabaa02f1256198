"""Whether a model fits a board, before its firmware is built."""

from __future__ import annotations

from collections.abc import Sequence

from rbnn.container.container import SEALED_OVERHEAD, Container
from rbnn.container.plan import ContainerPlan, align, plan
from rbnn.image.board import Board
from rbnn.image.errors import FitError
from rbnn.image.memory import MemoryPlan, plan_memory, ram_excess
from rbnn.nets.padding import pad
from rbnn.nets.topology import Topology
from rbnn.spec.layout import CONTAINER_HEADER, LAYER, TASK

CODE_BYTES = 52_000
"""Approximate flash of the application without a model; a build gives the exact figure."""

LISTENING_BYTES = 5_200
"""The same of the front end and the listener, which only models with a task of sounds have."""


def code_bytes(takes_sound: bool) -> int:
    """Approximate flash of the application for a model."""
    return CODE_BYTES + (LISTENING_BYTES if takes_sound else 0)


def check_model(board: Board, container: Container) -> MemoryPlan:
    """Refuse a model that does not fit.

    Returns:
        How the board's RAM would be divided.

    Raises:
        FitError: flash or RAM is too small; the message holds the numbers of both.
    """
    params = max(len(task.sealed) for task in container.tasks) - SEALED_OVERHEAD
    _check(board, len(container.data), container.plan, params, container.takes_sound)
    return plan_memory(board, container)


def check_network(
    board: Board,
    topology: Topology,
    labels: Sequence[Sequence[str]],
    *,
    takes_sound: bool = False,
) -> None:
    """Refuse a network that will not fit, before it is trained.

    Args:
        board: its manifest.
        topology: as trained, without padding.
        labels: class names of each task.
        takes_sound: whether one of the tasks is of sounds.

    Raises:
        FitError: see :func:`check_model`.
    """
    padded = pad(topology).topology
    layout = plan(padded)
    params = layout.labels_offset
    params += max(sum(len(label.encode()) + 1 for label in names) for names in labels)
    size = container_bytes(padded, layout, params, len(labels))
    _check(board, size, layout, params, takes_sound)


def container_bytes(topology: Topology, layout: ContainerPlan, params: int, tasks: int) -> int:
    """Size of a model container whose tasks all have ``params`` bytes of parameters."""
    tables = CONTAINER_HEADER.size + LAYER.size * len(topology.layers) + TASK.size * tasks
    return align(tables) + layout.weights_bytes + tasks * align(params + SEALED_OVERHEAD)


def flash_excess(board: Board, container: int, *, takes_sound: bool = False) -> str:
    """What a container of so many bytes needs of a board's flash, if that is too much."""
    code = code_bytes(takes_sound)
    needed = code + container
    if needed <= board.flash.bytes:
        return ""
    return (
        f"flash needs about {needed:,} bytes of {board.flash.bytes:,} "
        f"({needed - board.flash.bytes:,} too many): model {container:,}, code about "
        f"{code:,}"
    )


def _check(
    board: Board, container: int, layout: ContainerPlan, params: int, takes_sound: bool
) -> None:
    said = [
        flash_excess(board, container, takes_sound=takes_sound),
        ram_excess(board, layout, params, takes_sound=takes_sound),
    ]
    if any(said):
        raise FitError(
            f"The model does not fit board {board.name}: {'; '.join(filter(None, said))}.",
            "Train a narrower network (rbnn train --width) or choose a larger board; "
            f"`rbnn nets --board {board.name}` lists what fits.",
        )
