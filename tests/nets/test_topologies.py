"""The architectures' graphs: pinned layer by layer, and sound at any width and depth."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rbnn.errors import RbnnError
from rbnn.nets import reactnet, resnet, vgg
from rbnn.nets.architectures import ARCHITECTURES, lay_out
from rbnn.nets.residual_stack import stage_depths
from rbnn.nets.topology import Topology
from rbnn.spec import operators
from rbnn.spec.layout import MAX_LAYERS, Output, Packing, Stage

SNAPSHOT = Path(__file__).with_name("topologies.json")
RESIDUAL = ("resnet", "reactnet")


def described(topology: Topology) -> dict[str, Any]:
    """A network as plain data, one line per layer."""
    lines = []
    for layer in topology.layers:
        values = vars(layer)
        kinds = (layer.stage, layer.activation, layer.sign)
        parts = [layer.op.name, *(kind.name.lower() for kind in kinds if kind)]
        parts += [f"{key}={values[key]}" for key in ("in_shape", "out_shape", "source")]
        parts += [f"{key}={values[key]}" for key in ("kernel", "stride", "pad", "pool", "shortcut")]
        parts += [f"output={int(layer.output)}", f"bits={layer.bits}", f"macs={layer.macs}"]
        lines.append(" ".join(parts))
    return {"bits": topology.bits, "macs": topology.macs, "layers": lines}


def test_default_networks_are_those_of_the_snapshot() -> None:
    """Changed on purpose? Write ``described`` of each into topologies.json."""
    found = {name: described(lay_out(name, (32, 32, 3), 10)) for name in ARCHITECTURES}
    assert found == json.loads(SNAPSHOT.read_text())


def check(topology: Topology) -> None:
    """Every layer reads what an earlier one writes, in the shape in which it is written."""
    layers = topology.layers
    assert len(layers) <= MAX_LAYERS
    assert layers[0].op is operators.STEM
    assert layers[0].in_shape == topology.input_shape
    assert layers[-1].out_shape == (1, 1, topology.max_classes)
    read: set[tuple[int, Output]] = set()
    for number, layer in enumerate(layers):
        if layer.op is operators.STEM:
            assert layer.source == -1
        else:
            need = Output.STREAM if layer.reads_stream else Output.BITS
            assert 0 <= layer.source < number
            assert need in layers[layer.source].output
            assert layers[layer.source].out_shape == layer.in_shape
            read.add((layer.source, need))
        if layer.shortcut is not None:
            added = layers[layer.shortcut]
            assert layer.shortcut < number
            assert layer.stage is Stage.RESIDUAL
            assert Output.STREAM in added.output
            assert added.out_shape[:2] == layer.out_shape[:2]
            assert layer.out_shape[2] % added.out_shape[2] == 0
            read.add((layer.shortcut, Output.STREAM))
        if layer.kernel:
            for side in (0, 1):
                walked = layer.in_shape[side] + 2 * layer.pad - layer.kernel
                assert (walked // layer.stride + 1) // layer.pool == layer.out_shape[side]
        assert (layer.packing is not Packing.NONE) == (layer.bits > 0)
        assert (layer.stage is not Stage.NONE) == (layer.op in (operators.STEM, operators.CONV))
    flags = (Output.BITS, Output.STREAM)
    written = {(k, one) for k, layer in enumerate(layers) for one in flags if one in layer.output}
    assert written == read


@given(
    width=st.integers(8, 512),
    depth=st.integers(3, 24),
    name=st.sampled_from(sorted(ARCHITECTURES)),
    side=st.sampled_from((8, 16, 32, 64)),
    classes=st.integers(2, 64),
    stages=st.integers(2, 4),
)
def test_networks_are_sound_at_any_width_depth_and_number_of_stages(
    width: int, depth: int, name: str, side: int, classes: int, stages: int
) -> None:
    assume(stages <= depth and side >= 2 << stages)
    own = None if name == "vgg" else stages
    topology = lay_out(name, (side, side, 3), classes, width, depth, own)
    check(topology)
    if own:
        last = next(one for one in reversed(topology.layers) if one.op is operators.CONV)
        assert last.out_shape == (side >> stages, side >> stages, width << (stages - 1))
    convolutions = sum(layer.op is operators.CONV for layer in topology.layers)
    assert convolutions == depth * (2 if name == "reactnet" else 1)


@given(
    width=st.integers(8, 64),
    name=st.sampled_from(sorted(ARCHITECTURES)),
    height=st.integers(4, 128),
    across=st.integers(4, 128),
    channels=st.integers(1, 4),
    stages=st.integers(2, 4),
)
def test_networks_are_sound_for_any_rectangle(
    width: int, name: str, height: int, across: int, channels: int, stages: int
) -> None:
    assume(min(height, across) >= (8 if name == "vgg" else 2 + (1 << stages)))
    shape = (height, across, channels)
    check(lay_out(name, shape, 10, width, 5, None if name == "vgg" else stages))


def test_the_residual_networks_of_squares_are_those_of_before() -> None:
    """One pixel is left for the dense layer, as in containers of earlier versions."""
    for side in (8, 16, 32, 64):
        last = lay_out("resnet", (side, side, 3), 10).layers[-1]
        assert last.in_shape == (1, 1, 128)


@pytest.mark.parametrize(
    ("shape", "left"),
    [((96, 96, 3), (3, 3)), ((49, 10, 1), (12, 3)), ((20, 30, 2), (5, 8)), ((96, 64, 1), (3, 2))],
)
def test_the_dense_layer_reads_what_the_average_leaves(
    shape: tuple[int, int, int], left: tuple[int, int]
) -> None:
    topology = lay_out("resnet", shape, 10, 32)
    check(topology)
    assert topology.layers[-1].in_shape == (*left, 64)


@pytest.mark.parametrize("name", RESIDUAL)
def test_every_residual_convolution_has_a_shortcut(name: str) -> None:
    for layer in lay_out(name, (32, 32, 3), 10).layers:
        assert (layer.shortcut is not None) == (layer.op is operators.CONV)


def test_the_default_resnet_has_about_480_000_bits() -> None:
    assert abs(lay_out("resnet", (32, 32, 3), 10).bits - 480_000) < 5_000
    assert vgg.topology((32, 32, 1), 10).bits >= 400_000


def test_vgg_divides_its_depth_among_three_stages() -> None:
    assert [vgg.stage_convolutions(depth) for depth in (3, 4, 5, 6)] == [
        (1, 1, 1),
        (1, 2, 1),
        (1, 2, 2),
        (2, 2, 2),
    ]


def test_stages_divide_the_depth_and_the_last_ones_take_the_remainder() -> None:
    found = [stage_depths(depth, stages) for depth, stages in ((6, 2), (5, 2), (8, 3), (9, 4))]
    assert found == [(3, 3), (2, 3), (2, 3, 3), (2, 2, 2, 3)]


@pytest.mark.parametrize(
    ("name", "shape", "stages", "fix"),
    [
        ("resnet", (32, 32, 3), 5, "--stages 4"),
        ("reactnet", (32, 32, 3), 1, "--stages 2"),
        ("resnet", (16, 16, 3), 4, "18x18"),
        ("vgg", (32, 32, 3), 3, "Leave --stages out"),
    ],
)
def test_stages_that_do_not_work_are_refused(
    name: str, shape: tuple[int, int, int], stages: int, fix: str
) -> None:
    with pytest.raises(RbnnError) as caught:
        lay_out(name, shape, 10, stages=stages)
    assert fix in str(caught.value)


@pytest.mark.parametrize("name", sorted(ARCHITECTURES))
@pytest.mark.parametrize(
    ("options", "fix"),
    [
        ({"width": 0}, "--width 8"),
        ({"width": -32}, "--width 8"),
        ({"width": 4096}, "--width 1024"),
        ({"depth": 1000}, "--depth"),
        ({"depth": 0}, "--depth"),
    ],
)
def test_options_that_do_not_work_are_refused_with_the_nearest(
    name: str, options: dict[str, int], fix: str
) -> None:
    with pytest.raises(RbnnError) as caught:
        lay_out(name, (32, 32, 3), 10, **options)
    assert fix in str(caught.value)


@pytest.mark.parametrize(
    ("name", "shape", "nearest"),
    [
        ("vgg", (7, 28, 1), "8x28"),
        ("vgg", (32, 0, 1), "32x8"),
        ("resnet", (5, 28, 1), "6x28"),
        ("reactnet", (4, 4, 3), "6x6"),
    ],
)
def test_inputs_that_do_not_work_are_refused_with_the_nearest(
    name: str, shape: tuple[int, int, int], nearest: str
) -> None:
    with pytest.raises(RbnnError) as caught:
        lay_out(name, shape, 10)
    assert nearest in str(caught.value)


def test_an_unknown_architecture_is_refused_with_the_known_ones() -> None:
    with pytest.raises(RbnnError) as caught:
        lay_out("alexnet", (32, 32, 3), 10)
    assert "vgg, resnet, reactnet" in str(caught.value)


def test_builders_have_the_defaults_that_the_list_names() -> None:
    for name, module in (("vgg", vgg), ("resnet", resnet), ("reactnet", reactnet)):
        assert module.topology((32, 32, 3), 10) == lay_out(name, (32, 32, 3), 10)
