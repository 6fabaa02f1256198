"""An operator is added by its own files: nothing else in the tree knows it or has to change."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from pathlib import Path

import cffi
import numpy as np
import pytest
from random_models import RandomModel, random_model
from random_networks import random_topology
from toys.toys import HERE, KERNELS, Toys, build_engine, network

import rbnn
from rbnn.container.errors import ContainerError, ExportError
from rbnn.container.parse import parse
from rbnn.container.plan import plan
from rbnn.cost.loops import count_draws, count_turns
from rbnn.cost.predict import predict
from rbnn.engine.native import NativeEngine
from rbnn.engine.outputs import Outputs
from rbnn.engine.reference import Reference
from rbnn.engine.wide import WideEngine
from rbnn.export.carray import kernels_source
from rbnn.nets.padding import pad
from rbnn.spec import document, header, operators
from rbnn.spec.layout import Output

ROOT = Path(rbnn.__file__).parents[1]
IMAGES = 7


@pytest.fixture
def model(toys: Toys) -> RandomModel:
    return random_model(network(), seed=6, images=IMAGES)


def check_equal(model: RandomModel, outputs: Outputs) -> None:
    """Every layer equals that of the integer reference, bit for bit."""
    expected = Reference.open(model.container, 0, model.secret).infer(model.images)
    for number, (ours, theirs) in enumerate(zip(expected.layers, outputs.layers, strict=True)):
        assert np.array_equal(ours, theirs), f"layer {number}"
    assert np.array_equal(expected.logits, outputs.logits)


def test_the_pool_gives_both_bits(model: RandomModel) -> None:
    """Otherwise the comparisons below would mean nothing."""
    layers = Reference.open(model.container, 0, model.secret).infer(model.images).layers
    assert 0 < np.unpackbits(layers[1]).mean() < 0.4 < np.unpackbits(layers[0]).mean()


@pytest.mark.parametrize("engine", [NativeEngine, WideEngine])
def test_the_c_engine_equals_the_reference(
    toys: Toys, model: RandomModel, engine: type[NativeEngine]
) -> None:
    native = engine(model.container, library=toys.library)
    check_equal(model, native.infer(0, model.secret, model.images))


def test_a_plain_kernel_gives_the_same(toys: Toys, model: RandomModel) -> None:
    sources = (HERE / "min_pool_reference.c", HERE / "row_dense.c")
    library = build_engine(toys.headers, sources, "-Drbnn_min_pool=rbnn_min_pool_reference")
    native = NativeEngine(model.container, library=library)
    check_equal(model, native.infer(0, model.secret, model.images))


def test_a_model_brings_the_kernels_that_it_needs(toys: Toys, model: RandomModel) -> None:
    table = toys.headers / "model_kernels.c"
    table.write_text(kernels_source(model.container.topology))
    assert "[RBNN_OPERATOR_MIN_POOL] = {rbnn_min_pool, NULL}," in table.read_text()
    assert "{rbnn_row_dense, rbnn_row_dense_work_bytes}," in table.read_text()
    library = build_engine(toys.headers, [*KERNELS, table])
    native = NativeEngine(model.container, library=library)
    check_equal(model, native.infer(0, model.secret, model.images))
    other = random_model(random_topology(1), seed=1)
    with pytest.raises(ContainerError, match="does not fit this firmware"):
        NativeEngine(other.container, library=library)


def test_the_engine_without_them_refuses_the_layer(model: RandomModel) -> None:
    with pytest.raises(ContainerError, match=r"does not fit this firmware \(layer 1\)"):
        NativeEngine(model.container)


def test_a_program_without_them_refuses_the_container(
    model: RandomModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert parse(model.container.data) == model.container
    monkeypatch.delitem(operators.OPERATORS, 200)
    with pytest.raises(ContainerError, match="Layer 1 is malformed: 200 is not a valid Operator"):
        parse(model.container.data)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"kernel": 8}, r"Layer 1 \(min-pool\) has a window of 8x8; .* from 1 to 7"),
        ({"pad": 1, "out_shape": (6, 6, 64)}, "without weights it must have no padding"),
        ({"out_shape": (5, 4, 64)}, "makes 5x5 pixels from 12x12"),
        ({"output": Output.STREAM}, "and write bits"),
    ],
)
def test_shapes_that_it_does_not_serve(toys: Toys, changes: dict[str, object], words: str) -> None:
    first, pool, *rest = network().layers
    layers = (first, replace(pool, **changes), *rest)  # type: ignore[arg-type]
    with pytest.raises(ExportError, match=words):
        plan(replace(network(), layers=layers))


def test_it_has_loops_but_no_cost_until_it_is_measured(toys: Toys) -> None:
    topology = pad(network()).topology
    pool, last = topology.layers[1], topology.layers[3]
    assert count_turns(pool, 0) == {
        "min_pool": 1, "min_pool position": 25, "min_pool word": 50, "min_pool tap": 450,
    }  # fmt: skip
    assert count_draws(last, plan(topology).work_bytes)["stream block"] == 2 * 25
    with pytest.raises(ExportError, match=r"min-pool layer of this shape .* never measured"):
        predict(topology, plan(topology).work_bytes)


def test_every_name_comes_from_the_descriptor(toys: Toys) -> None:
    ffi = cffi.FFI()
    ffi.cdef("const char *rbnn_operator_name(uint8_t);")
    names = ffi.dlopen(str(toys.library))
    for operator in operators.in_order():
        assert ffi.string(names.rbnn_operator_name(operator.number)).decode() == operator.hyphened
    assert ffi.string(names.rbnn_operator_name(199)) == b"unknown"
    assert "| 200 | `min-pool` | bits | bits | none |" in document.tables()["operators"]


def test_a_number_or_a_name_is_given_only_once(toys: Toys) -> None:
    pool = operators.OPERATORS[200]
    for changes in ({"number": 202}, {"name": "other"}, {"number": 256, "name": "other"}):
        with pytest.raises(ValueError, match="cannot have the number"):
            operators.register(replace(pool, **changes))  # type: ignore[arg-type]


def test_the_tree_does_not_know_them(toys: Toys) -> None:
    for folder in ("rbnn", "firmware", "boards", "tests"):
        found = subprocess.run(
            ["grep", "-rliE", "--include=*.[chSpj]*", "min_?pool|row_?dense", ROOT / folder],
            capture_output=True, text=True,
        ).stdout.split()  # fmt: skip
        assert [name for name in found if "tests/operators/" not in name] == []
    assert header.render() != (ROOT / header.HEADER).read_text()


def test_the_page_shows_the_files_of_these_tests() -> None:
    page = (ROOT / "docs" / "adding-an-operator.md").read_text()
    toys = "\n".join(path.read_text() for path in sorted(HERE.glob("*.[cp]*")))
    blocks = re.findall(r"```(?:c|python)\n(.*?)```", page, re.DOTALL)
    assert len(blocks) == 4
    for block in blocks:
        assert block in toys, block
