"""The memory plan: values that live together do not overlap, and little memory is wasted."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_networks import random_topology

from rbnn.container import arena
from rbnn.container.arena import Value, place_values
from rbnn.container.errors import ExportError
from rbnn.container.plan import plan
from rbnn.container.shapes import bits_bytes, logits_bytes, stream_bytes
from rbnn.nets.architectures import ARCHITECTURES, lay_out
from rbnn.nets.padding import pad
from rbnn.nets.topology import Layer, Topology
from rbnn.spec import operators
from rbnn.spec.layout import Output, Stage

SEEDS = st.integers(0, 2**32 - 1)


class Memory:
    """An arena whose every byte knows who wrote it last."""

    def __init__(self, size: int) -> None:
        self.writers: list[object] = [None] * size

    def write(self, offset: int, size: int, writer: object) -> None:
        """Write a region; it lies within the arena."""
        assert offset % 4 == 0 and offset + size <= len(self.writers)
        self.writers[offset : offset + size] = [writer] * size

    def check(self, offset: int, size: int, writer: object) -> None:
        """The region holds what ``writer`` wrote, all of it."""
        assert self.writers[offset : offset + size] == [writer] * size


def walk(topology: Topology) -> None:
    """Run a network as the engine does, with tags for values."""
    made = plan(topology)
    memory = Memory(made.arena_bytes)
    for number, layer in enumerate(topology.layers):
        place = made.placements[number]
        own = bits_bytes(layer) + logits_bytes(layer)
        # A kernel may write while it still reads, so writing first must do no harm.
        if not stream_in_place(topology, number) and not pools_in_place(topology, number):
            memory.write(place.stream_offset, stream_bytes(layer), (number, "stream"))
        memory.write(place.out_offset, own, (number, "bits"))
        if layer.source >= 0:
            before = topology.layers[layer.source]
            kind = "stream" if layer.reads_stream else "bits"
            size = stream_bytes(before) if layer.reads_stream else bits_bytes(before)
            memory.check(place.in_offset, size, (layer.source, kind))
        if layer.shortcut is not None:
            size = stream_bytes(topology.layers[layer.shortcut])
            memory.check(place.shortcut_offset, size, (layer.shortcut, "stream"))
        memory.write(place.stream_offset, stream_bytes(layer), (number, "stream"))
        memory.check(place.out_offset, own, (number, "bits"))


def stream_in_place(topology: Topology, number: int) -> bool:
    """Whether the layer's stream takes the place of its shortcut."""
    layer = topology.layers[number]
    if layer.shortcut is None or not stream_bytes(layer):
        return False
    place = plan(topology).placements[number]
    if place.stream_offset != place.shortcut_offset:
        return False
    assert topology.layers[layer.shortcut].out_shape == layer.out_shape
    return True


def pools_in_place(topology: Topology, number: int) -> bool:
    """Whether the layer is an average pool whose output begins where its input begins."""
    if topology.layers[number].op is not operators.AVERAGE_POOL:
        return False
    place = plan(topology).placements[number]
    return place.stream_offset == place.in_offset


@settings(deadline=None, max_examples=200)
@given(seed=SEEDS)
def test_no_value_is_overwritten_while_it_is_needed(seed: int) -> None:
    walk(pad(random_topology(seed)).topology)


@settings(deadline=None, max_examples=200)
@given(seed=SEEDS)
def test_no_arena_is_smaller_than_what_lives_together(seed: int) -> None:
    made = place_values(pad(random_topology(seed)).topology)
    assert made.bound <= made.total <= 1.5 * made.bound + 4


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("width", [32, 48, 64, 128])
def test_architectures_take_the_least_possible(name: str, width: int) -> None:
    topology = pad(lay_out(name, (32, 32, 3), 10, width)).topology
    walk(topology)
    made = place_values(topology)
    assert made.total == made.bound


def best(values: list[Value]) -> int:
    """The smallest arena, by trying the lowest gap in every order: one of them is optimal."""
    orders = itertools.permutations(range(len(values)))
    return min(
        arena._greedy(values, {}, lambda value, order=order: (order[values.index(value)],))[1]  # type: ignore[misc]
        for order in orders
    )


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(st.integers(1, 12), st.integers(0, 5), st.integers(0, 5)),
        min_size=1,
        max_size=5,
        unique=True,
    )
)
def test_greedy_places_are_close_to_the_best(members: list[tuple[int, int, int]]) -> None:
    values = [Value(4 * size, min(a, b), max(a, b)) for size, a, b in members]
    values = list(dict.fromkeys(values))
    smallest = best(values)
    found = min(arena._greedy(values, {}, order)[1] for order in arena._ORDERS)
    assert smallest <= found <= 1.35 * smallest
    for order in arena._ORDERS:
        offsets, total = arena._greedy(values, {}, order)
        for (a, at), (b, other) in itertools.combinations(zip(values, offsets, strict=True), 2):
            assert not a.meets(b) or at + a.size <= other or other + b.size <= at
        assert max(at + v.size for v, at in zip(values, offsets, strict=True)) <= total


def test_a_residual_sum_takes_its_shortcuts_place() -> None:
    topology = lay_out("resnet", (32, 32, 3), 10, 64)
    numbers = [n for n, layer in enumerate(topology.layers) if layer.shortcut is not None]
    assert any(stream_in_place(topology, number) for number in numbers)


def test_more_activations_than_a_container_addresses_are_refused() -> None:
    bits = {"stage": Stage.THRESHOLD, "output": Output.BITS}
    layers = (
        Layer(operators.STEM, (90, 90, 1), (90, 90, 32768), -1, 1, **bits),  # type: ignore[arg-type]
        Layer(operators.CONV, (90, 90, 32768), (1, 1, 32), 0, 1, 90, **bits),  # type: ignore[arg-type]
        Layer(operators.DENSE, (1, 1, 32), (1, 1, 10), 1),
    )
    with pytest.raises(ExportError, match="The activations take 33,177,604 bytes"):
        plan(Topology("large", (90, 90, 1), 10, layers))
