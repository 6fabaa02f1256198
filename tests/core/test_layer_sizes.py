"""Sizes of layers and which ones are supported: the exporter's figures are the firmware's."""

from __future__ import annotations

import dataclasses
import random

import pytest
from core_driver import Driver
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from random_networks import random_topology

from rbnn.container import shapes
from rbnn.container.container import layer_record
from rbnn.container.plan import plan
from rbnn.container.work import least_work_bytes, most_work_bytes
from rbnn.errors import RbnnError
from rbnn.nets.architectures import ARCHITECTURES, lay_out
from rbnn.nets.device_rules import check_layer, describe
from rbnn.nets.padding import pad
from rbnn.nets.topology import Layer, Topology
from rbnn.spec import operators

CASES = settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150
)
SEEDS = st.integers(0, 2**32 - 1)


def check_sizes(driver: Driver, topology: Topology) -> None:
    own = plan(topology)
    for number, layer in enumerate(topology.layers):
        sizes = driver.layer(layer_record(topology, own, number))
        assert sizes.served, describe(layer, number)
        assert sizes.bits == shapes.bits_bytes(layer)
        assert sizes.stream == shapes.stream_bytes(layer)
        assert sizes.logits == shapes.logits_bytes(layer)
        assert sizes.weights == shapes.weights_bytes(layer)
        assert sizes.params == shapes.params_bytes(layer)
        assert sizes.work == least_work_bytes(layer) <= most_work_bytes(layer), layer
        assert sizes.work <= own.work_bytes


@CASES
@given(seed=SEEDS)
def test_random_graphs(driver: Driver, seed: int) -> None:
    check_sizes(driver, pad(random_topology(seed)).topology)


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("width", [32, 64, 128])
def test_architectures(driver: Driver, name: str, width: int) -> None:
    check_sizes(driver, pad(lay_out(name, (32, 32, 3), 10, width)).topology)


@CASES
@given(seed=SEEDS)
def test_both_refuse_the_same_layers(driver: Driver, seed: int) -> None:
    """One member of one layer changed: exporter and firmware agree."""
    topology = pad(random_topology(seed)).topology
    own = plan(topology)
    choose = random.Random(seed)
    number = choose.randrange(len(topology.layers))
    layer = changed(topology.layers[number], choose)
    if layer.shortcut is not None:
        # Another number of repeats than a whole one is the planner's to refuse.
        assume(layer.out_shape[2] % topology.layers[layer.shortcut].out_shape[2] == 0)
    layers = (*topology.layers[:number], layer, *topology.layers[number + 1 :])
    record = layer_record(dataclasses.replace(topology, layers=layers), own, number)
    try:
        check_layer(layer, number)
        fits = True
    except RbnnError as error:
        assert f"Layer {number} (" in error.what
        fits = False
    assert driver.layer(record).served == fits, layer


def changed(layer: Layer, choose: random.Random) -> Layer:
    """``layer`` with one member out of its usual range."""
    what = choose.choice(("kernel", "stride", "pad", "pool", "in", "out", "op"))
    if what == "op":
        return dataclasses.replace(layer, op=choose.choice(operators.in_order()))
    if what in ("in", "out"):
        name = f"{what}_shape"
        shape = list(getattr(layer, name))
        shape[choose.randrange(3)] = choose.choice((0, 1, 7, 31, 32, 48, 1024, 65504))
        return dataclasses.replace(layer, **{name: tuple(shape)})
    return dataclasses.replace(layer, **{what: choose.choice((0, 1, 2, 3, 7, 8, 16, 17, 255))})
