"""Where a network's parts lie: bits in P, activations in the arena, values in the params."""

from __future__ import annotations

import math
from dataclasses import dataclass

from rbnn.container.arena import place_values
from rbnn.container.errors import ExportError
from rbnn.container.shapes import check_layer, describe, params_bytes, weights_bytes
from rbnn.container.work import least_work_bytes
from rbnn.nets.topology import Topology
from rbnn.spec.layout import (
    ALIGNMENT,
    MAX_ARENA_BYTES,
    MAX_INPUT_BYTES,
    MAX_LAYERS,
    PARAMS_HEADER,
    Output,
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


def _check_graph(topology: Topology) -> None:
    """Refuse a graph that the layer table cannot hold."""
    layers = topology.layers
    if not 2 <= len(layers) <= MAX_LAYERS:
        raise ExportError(
            f"A container holds 2 to {MAX_LAYERS} layers. Received: {len(layers)}.",
            f"The nearest is {max(2, min(len(layers), MAX_LAYERS))}: change --depth.",
        )
    input_bytes = math.prod(topology.input_shape)
    if input_bytes > MAX_INPUT_BYTES:
        raise ExportError(
            f"One input has {input_bytes:,} bytes; a container has inputs of at most "
            f"{MAX_INPUT_BYTES:,}.",
            "Train with a smaller --input.",
        )
    for number, layer in enumerate(layers):
        where = describe(layer, number)
        last = number == len(layers) - 1
        if layer.op.is_first != (number == 0) or layer.op.is_last != last:
            raise ExportError(
                f"{where} is in the wrong place: the first layer is a stem, the last one dense."
            )
        if (layer.source == -1) != (number == 0) or not -1 <= layer.source < number:
            raise ExportError(f"{where} reads layer {layer.source}, which does not run before it.")
        shape = topology.input_shape if number == 0 else layers[layer.source].out_shape
        wanted = Output.STREAM if layer.reads_stream else Output.BITS
        if layer.in_shape != shape or (number and wanted not in layers[layer.source].output):
            raise ExportError(
                f"{where} takes {wanted.name.lower() if number else 'an image'} of "  # type: ignore[union-attr]
                f"{layer.in_shape}; layer {layer.source} does not give one."
            )
        if last and layer.out_shape[2] != topology.max_classes:
            raise ExportError(
                f"{where} has {layer.out_shape[2]} outputs for {topology.max_classes} classes."
            )
        if layer.shortcut is not None:
            _check_shortcut(topology, number)
        check_layer(layer, number)


def _check_shortcut(topology: Topology, number: int) -> None:
    layer = topology.layers[number]
    where = describe(layer, number)
    assert layer.shortcut is not None
    if not 0 <= layer.shortcut < number:
        raise ExportError(f"{where} adds layer {layer.shortcut}, which does not run before it.")
    added = topology.layers[layer.shortcut]
    if Output.STREAM not in added.output or added.out_shape[:2] != layer.out_shape[:2]:
        raise ExportError(
            f"{where} gives {layer.out_shape[0]}x{layer.out_shape[1]} pixels; its shortcut, layer "
            f"{layer.shortcut}, has no stream of that size.",
            "Put an average-pool layer into the shortcut.",
        )
    step = added.out_shape[2]
    if layer.out_shape[2] % step:
        nearest = max(1, round(layer.out_shape[2] / step)) * step
        raise ExportError(
            f"{where} has {layer.out_shape[2]} channels; its shortcut, layer {layer.shortcut}, has "
            f"{step}, and can only be repeated a whole number of times.",
            f"The nearest is {nearest} channels.",
        )


def plan(topology: Topology) -> ContainerPlan:
    """Lay out a network whose channels are padded (:func:`rbnn.nets.padding.pad`).

    Raises:
        ExportError: the firmware's kernels do not support a layer; the message names it and the
            nearest shape that works.
    """
    _check_graph(topology)
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
