"""The network of a run: an architecture with its sizes, or one of the user's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rbnn.errors import RbnnError
from rbnn.nets.architectures import architecture, lay_out
from rbnn.nets.own.file import OwnNetwork
from rbnn.nets.own.stored import StoredNetwork
from rbnn.nets.topology import Shape, Topology
from rbnn.runs.errors import TrainingError
from rbnn.runs.settings import TABLE, Settings
from rbnn.tasks import TaskData

SIZES = ("width", "depth", "stages")
COLOUR = 3


def choose_network(
    settings: Settings, own: OwnNetwork | None, input_shape: Shape, max_classes: int
) -> dict[str, Any]:
    """The members of a run's config that say what its network is.

    Args:
        settings: the user's choices.
        own: the network in place of an architecture, or None.
        input_shape: height, width, channels.
        max_classes: the largest class count among the tasks.

    Raises:
        RbnnError: the network does not fit devices.
    """
    if own is None:
        chosen = architecture(settings.architecture)
        return {
            "width": chosen.width if settings.width is None else settings.width,
            "depth": chosen.depth if settings.depth is None else settings.depth,
            "stages": chosen.stages if settings.stages is None else settings.stages,
        }
    topology = own.topology(input_shape, max_classes)
    return {"architecture": own.name, "network": StoredNetwork.of(topology, own.file)}


def expected_network(
    settings: Settings, own: OwnNetwork | None, input_shape: Shape, max_classes: int = 2
) -> Topology:
    """The network of a run before its data are known.

    A network of the user's own may want colour: it is tried with grey pictures first.

    Args:
        settings: the user's choices.
        own: the network in place of an architecture, or None.
        input_shape: height, width, channels, as far as they are known.
        max_classes: as far as it is known.

    Raises:
        RbnnError: the network does not fit devices, or an option does not fit it.
    """
    if own is None:
        sizes = (settings.width, settings.depth, settings.stages)
        ends = (settings.stem_bits, settings.classifier_bits)
        return lay_out(settings.architecture, input_shape, max_classes, *sizes, *ends)
    refuse_sizes(own.file, **{name: getattr(settings, name) for name in SIZES})
    try:
        topology = own.topology(input_shape, max_classes)
    except RbnnError:
        topology = own.topology((*input_shape[:2], COLOUR), max_classes)
    return topology.with_own_weights(settings.stem_bits > 1, settings.classifier_bits > 1)


def refuse_sizes(file: str, **sizes: int | None) -> None:
    """Refuse sizes beside a file that has its own.

    Raises:
        TrainingError: names the option.
    """
    typed = [TABLE[name].option for name, size in sizes.items() if size is not None]
    if typed:
        raise TrainingError(
            f"{file} says how wide and deep the network is; {typed[0]} has no effect on it.",
            f"Leave {typed[0]} out, or change the file.",
        )


def shape_of(data: Sequence[TaskData], settings: Settings) -> tuple[int, int, int]:
    """The network's input.

    Raises:
        TrainingError: tasks whose channels do not go together.
    """
    sides = settings.form("").sides
    channels = settings.form("").channels or max(task.channels for task in data)
    for task in data:
        if task.sides != sides:
            raise ValueError(f"Task {task.name} has samples of {task.sides}, not {sides}.")
        if task.channels not in (1, channels):
            raise TrainingError(
                f"Task {task.name} has {task.channels} channels, another task {channels}; all "
                "tasks of a run share their input, or have one channel.",
                f"Train them in two runs, or make the input of {task.name} with one channel.",
            )
    return (*sides, channels)
