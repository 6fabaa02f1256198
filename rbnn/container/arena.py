"""Where the activations of a network lie in one memory, each for as long as it is read.

Bits, streams and logits are separate *values*. A value lives from the layer that writes it to the
last layer that reads it, both included, since no kernel overwrites what it reads, with two
exceptions when a stream is read for the last time: a residual sum takes the place of its shortcut,
and an operator that never writes past what it has read, an average pool, may start where its input
starts.
Sizes and lifetimes are known beforehand. Values are placed greedily, each in the lowest gap, in
several orders (the largest first, for example), and the smallest arena is kept.

Source: Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net Inference", MLSys 2020
(greedy by size).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from rbnn.container.shapes import bits_bytes, logits_bytes, stream_bytes
from rbnn.nets.topology import Layer, Topology

ALIGN = 4
"""Every value starts at a multiple of this."""


@dataclass(frozen=True)
class Value:
    """One value of the arena, or several that replace one another in the same place.

    Args:
        size: bytes.
        first: number of the layer that writes it first.
        last: number of the last layer that writes or reads it.
        over: number of the layer at whose stream's start it may start, or None.
    """

    size: int
    first: int
    last: int
    over: int | None = None

    def meets(self, other: Value) -> bool:
        """Whether both live at the same layer."""
        return self.first <= other.last and other.first <= self.last


@dataclass(frozen=True)
class Arena:
    """Where each layer's values lie; an entry is 0 if the layer has no such value.

    Args:
        bits: per layer, of its bits or logits.
        streams: per layer, of its stream.
        total: bytes.
        bound: most bytes that live together at any layer: no arena is smaller.
    """

    bits: tuple[int, ...]
    streams: tuple[int, ...]
    total: int
    bound: int


def place_values(topology: Topology) -> Arena:
    """Lay out the arena of a network."""
    layers = topology.layers
    plain = [
        Value(bits_bytes(layer) + logits_bytes(layer), number, _last(layers, number, False))
        for number, layer in enumerate(layers)
    ]
    owners = _stream_owners(layers)
    streams = [
        Value(
            stream_bytes(layers[owner]),
            owner,
            max(_last(layers, n, True) for n in range(len(layers)) if owners[n] == owners[owner]),
            owners[layers[owner].source] if _writes_in_place(layers, owner) else None,
        )
        for owner in range(len(layers))
    ]
    chosen = [value for value in plain if value.size]
    chosen += [value for n, value in enumerate(streams) if value.size and owners[n] == n]
    bound = max(
        (
            sum(v.size for v in chosen if v.first + (v.over is not None) <= n <= v.last)
            for n in range(len(layers))
        ),
        default=0,
    )
    below = {i: chosen.index(streams[v.over]) for i, v in enumerate(chosen) if v.over is not None}
    offsets, total = min(
        (_greedy(chosen, below, order) for order in _ORDERS), key=lambda made: made[1]
    )
    places = dict(zip(map(id, chosen), offsets, strict=True))
    return Arena(
        bits=tuple(places.get(id(value), 0) for value in plain),
        streams=tuple(
            places.get(id(streams[owners[n]]), 0) if stream_bytes(layer) else 0
            for n, layer in enumerate(layers)
        ),
        total=total,
        bound=bound,
    )


def _last(layers: Sequence[Layer], number: int, stream: bool) -> int:
    """The last layer that reads layer ``number``'s stream or bits; ``number`` if none does."""
    readers = [
        n
        for n, layer in enumerate(layers)
        if (layer.source == number and layer.reads_stream == stream)
        or (stream and layer.shortcut == number)
    ]
    return max([number, *readers])


def _stream_owners(layers: Sequence[Layer]) -> list[int]:
    """Per layer, the layer whose stream its own stream replaces in place; itself if none."""
    owners = list(range(len(layers)))
    for number, layer in enumerate(layers):
        shortcut = layer.shortcut
        if (
            shortcut is not None
            and stream_bytes(layer)
            and layers[shortcut].out_shape == layer.out_shape
            and _last(layers, shortcut, True) == number
        ):
            owners[number] = owners[shortcut]
    return owners


def _writes_in_place(layers: Sequence[Layer], number: int) -> bool:
    """Whether a layer may overwrite its input, and is the last to read it."""
    layer = layers[number]
    return layer.op.in_place and _last(layers, layer.source, True) == number


_ORDERS: tuple[Callable[[Value], tuple[int, ...]], ...] = (
    lambda value: (-value.size, value.first),
    lambda value: (-value.size * (value.last - value.first + 1), value.first),
    lambda value: (value.first - value.last, -value.size, value.first),
    lambda value: (value.first, -value.size),
)


def _greedy(
    values: Sequence[Value], below: Mapping[int, int], order: Callable[[Value], tuple[int, ...]]
) -> tuple[list[int], int]:
    """Offsets of ``values``, placed in ``order``, and the bytes that they take together.

    Args:
        values: what to place.
        below: by value, another one at whose start it may start.
        order: sort key.
    """
    offsets: dict[int, int] = {}
    for index in sorted(range(len(values)), key=lambda i: order(values[i])):
        value = values[index]
        taken = {
            other: (offset, offset + values[other].size)
            for other, offset in offsets.items()
            if values[other].meets(value)
        }
        place = _lowest_gap(sorted(taken.values()), value.size)
        shared = offsets.get(below.get(index, -1))
        if shared is not None and shared < place:
            taken.pop(below[index], None)
            if all(end <= shared or shared + value.size <= start for start, end in taken.values()):
                place = shared
        offsets[index] = place
    total = max((offsets[i] + value.size for i, value in enumerate(values)), default=0)
    return [offsets[i] for i in range(len(values))], -(-total // ALIGN) * ALIGN


def _lowest_gap(taken: Sequence[tuple[int, int]], size: int) -> int:
    """The lowest place for ``size`` bytes between regions that are sorted by their start."""
    place = 0
    for start, end in taken:
        if place + size <= start:
            break
        place = max(place, -(-end // ALIGN) * ALIGN)
    return place
