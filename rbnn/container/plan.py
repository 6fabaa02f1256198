"""Where a network's parts lie: bits in P, activations in the arena, values in the params."""

from __future__ import annotations

import math
from dataclasses import dataclass

from rbnn.container.arena import place_values
from rbnn.container.errors import ExportError
from rbnn.container.shapes import params_bytes, weights_bytes
from rbnn.container.work import least_work_bytes
from rbnn.nets.device_rules import check_graph
from rbnn.nets.errors import NetworkError
from rbnn.nets.topology import Topology
from rbnn.spec.layout import (
    ALIGNMENT,
    MAX_ARENA_BYTES,
    PARAMS_HEADER,
)
from rbnn.spec.packing import round_up


def align(offset: int) -> int:
    """The next place in the container where a layer's bits or a sealed block may start."""
    return round_up(offset, ALIGNMENT)


@dataclass(frozen=True)
class Placement:
    """Where one layer's parts lie; members as in the container's layer record."""

    in_offset: int
    out_offset: int
    stream_offset: int
    shortcut_offset: int
    weights_offset: int
    weights_bytes: int
    params_offset: int


@dataclass(frozen=True)
class ContainerPlan:
    """Where everything lies.

    Args:
        placements: one per layer.
        arena_bytes: activation memory.
        arena_bound: most activation bytes that live together at any layer: no arena is smaller.
        work_bytes: least working memory of the kernels.
        weights_bytes: P with its alignment padding.
        labels_offset: where the class names start in the params.
        input_bytes: of the network's input, which the serial line's buffer has to hold.
    """

    placements: tuple[Placement, ...]
    arena_bytes: int
    arena_bound: int
    work_bytes: int
    weights_bytes: int
    labels_offset: int
    input_bytes: int


def plan(topology: Topology) -> ContainerPlan:
    """Lay out a network whose channels are padded (:func:`rbnn.nets.padding.pad`).

    Raises:
        ExportError: the firmware's kernels do not support a layer; the message names it and the
            nearest shape that works.
    """
    try:
        check_graph(topology)
    except NetworkError as error:
        raise ExportError(error.what, error.fix) from error
    arena = place_values(topology)
    if arena.total > MAX_ARENA_BYTES:
        raise ExportError(
            f"The activations take {arena.total:,} bytes; a container addresses "
            f"{MAX_ARENA_BYTES:,}.",
            "Train with a smaller --width.",
        )
    placements: list[Placement] = []
    weights = 0
    params = PARAMS_HEADER.size
    for number, layer in enumerate(topology.layers):
        own, group = weights_bytes(layer), params_bytes(layer)
        sources = arena.streams if layer.reads_stream else arena.bits
        placements.append(
            Placement(
                in_offset=0 if layer.source < 0 else sources[layer.source],
                out_offset=arena.bits[number],
                stream_offset=arena.streams[number],
                shortcut_offset=0 if layer.shortcut is None else arena.streams[layer.shortcut],
                weights_offset=weights if own else 0,
                weights_bytes=own,
                params_offset=params if group else 0,
            )
        )
        weights = align(weights + own)
        params = round_up(params + group, 4)
    return ContainerPlan(
        placements=tuple(placements),
        arena_bytes=arena.total,
        arena_bound=arena.bound,
        work_bytes=max(least_work_bytes(layer) for layer in topology.layers),
        weights_bytes=weights,
        labels_offset=params,
        input_bytes=math.prod(topology.input_shape),
    )
