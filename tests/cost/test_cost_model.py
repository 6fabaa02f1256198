"""The cost model against instructions that QEMU counts."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import pytest
from random_networks import random_topology

from rbnn.bench.fit_cycles import LOOP_TURNS, estimate_cycles, mean_cycles
from rbnn.bench.fit_networks import Subject, measure_layers, measure_network, work_range
from rbnn.container.errors import ExportError
from rbnn.container.work import least_work_bytes
from rbnn.cost.predict import predict
from rbnn.cost.table import COSTS, CYCLES_PER_INSTRUCTION, STREAM_CYCLES_PER_INSTRUCTION
from rbnn.image.board import load_board
from rbnn.nets.architectures import ARCHITECTURES, lay_out
from rbnn.nets.padding import pad
from rbnn.nets.topology import Topology
from rbnn.spec import operators
from rbnn.spec.layout import Cipher

WITHIN = 0.05
NEEDED = ("arm-none-eabi-gcc", "qemu-system-arm")
NETWORKS = [
    # None of them is one that the costs were fitted to.
    ("qemu", Subject("resnet", 64, 3, 0.6, (16, 16, 3), 5)),
    ("qemu", Subject("vgg", 40, None, 0.7, classes=21)),
    ("qemu", Subject("reactnet", 64, None, 0.2, classes=12)),
    pytest.param("qemu-m7", Subject("resnet", 32, 4, 0.5), marks=pytest.mark.full),
    ("qemu-m3", Subject("reactnet", 32, None, 0.5, classes=12)),
]


@pytest.mark.qemu
@pytest.mark.skipif(not all(map(shutil.which, NEEDED)), reason=f"needs {', '.join(NEEDED)}")
@pytest.mark.parametrize(("board", "subject"), NETWORKS)
def test_every_layer_is_within_five_percent(board: str, subject: Subject, tmp_path: Path) -> None:
    measured = measure_network(load_board(board), subject, tmp_path)
    cpu = load_board(board).cpu
    streaming = predict(measured.topology, measured.work_bytes, cpu=cpu)
    for number, (cost, count) in enumerate(zip(streaming, measured.layers, strict=True)):
        figures = (number, measured.topology.layers[number].op.name, cost, count)
        assert abs(cost.instructions / count.instructions - 1) < WITHIN, figures
        assert abs(cost.kernel / count.instructions_plain - 1) < WITHIN, figures
    whole = sum(cost.instructions for cost in streaming)
    assert abs(whole / measured.network.instructions - 1) < WITHIN


@pytest.mark.qemu
@pytest.mark.skipif(not all(map(shutil.which, NEEDED)), reason=f"needs {', '.join(NEEDED)}")
def test_layers_of_shapes_that_no_architecture_has(tmp_path: Path) -> None:
    """Their calls take less by themselves than in a network, which small pools notice."""
    layers = [
        dataclasses.replace(layer, source=-1, shortcut=None)
        for seed in range(40)
        for layer in pad(random_topology(seed)).topology.layers
        if layer.op in (operators.STEM, operators.CONV, operators.MAX_POOL)
    ][:60]
    work = max(map(least_work_bytes, layers))
    counts = measure_layers(load_board("qemu"), layers, work, tmp_path)
    for layer, count in zip(layers, counts, strict=True):
        topology = Topology("one", layer.in_shape, 1, (layer,))
        (cost,) = predict(topology, work, resident=(0,))
        call = 200 * (layer.op is operators.MAX_POOL)
        assert abs(cost.kernel - count.instructions_plain) < 0.1 * cost.kernel + call, layer


@pytest.mark.parametrize("cpu", COSTS)
def test_every_loop_of_random_graphs_has_a_cost(cpu: str) -> None:
    for seed in range(50):
        topology = pad(random_topology(seed)).topology
        for work in work_range(topology):
            assert all(cost.kernel > 0 for cost in predict(topology, work, cpu=cpu))


@pytest.mark.parametrize("cpu", COSTS)
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_less_work_costs_less(name: str, cpu: str) -> None:
    topology = pad(lay_out(name, (32, 32, 3), 10)).topology
    least, most = work_range(topology)

    def total(work: int, *, resident: bool = False, cipher: Cipher = Cipher.CHACHA20) -> int:
        layers = range(len(topology.layers)) if resident else ()
        return sum(cost.instructions for cost in predict(topology, work, layers, cipher, cpu))

    assert total(most) < total(least)
    assert total(most, resident=True) < total(most, cipher=Cipher.CHACHA8)
    assert total(most, cipher=Cipher.CHACHA8) < total(most, cipher=Cipher.CHACHA12) < total(most)


@pytest.mark.parametrize("bits", [1, 8])
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_loop_of_every_width_has_a_cost(name: str, bits: int) -> None:
    ends = {"stem_bits": bits, "classifier_bits": bits}
    for width in (8, 32, 64, 96, 160, 224, 320):
        for side in (16, 32):
            topology = pad(lay_out(name, (side, side, 3), 10, width, **ends)).topology
            for work in work_range(topology):
                for cpu in COSTS:
                    assert all(cost.kernel > 0 for cost in predict(topology, work, cpu=cpu))


@pytest.mark.skipif(shutil.which(NEEDED[0]) is None, reason=f"needs {NEEDED[0]}")
def test_the_estimate_of_cycles_is_that_of_the_kernels() -> None:
    kernels, stream = estimate_cycles()
    assert kernels == pytest.approx(CYCLES_PER_INSTRUCTION, abs=0.05)
    assert stream == pytest.approx(STREAM_CYCLES_PER_INSTRUCTION, abs=0.05)


def test_cycles_of_a_listing() -> None:
    listing = """a.o:     file format elf32-littlearm
   0:\tb5f0      \tpush\t{r4, r5, r6, r7, lr}
   2:\t6801      \tldr\tr1, [r0, #0]
   4:\t6842      \tldr\tr2, [r0, #4]
   6:\t3b01      \tsubs\tr3, #1
   8:\td1fd      \tbne.n\t6 <a+0x6>
   a:\tbdf0      \tpop\t{r4, r5, r6, r7, pc}
"""
    outside = 6 + 2 + 1 + 8
    assert mean_cycles(listing) == (outside + LOOP_TURNS * (1 + 3)) / (4 + 2 * LOOP_TURNS)


def test_an_unknown_core_is_refused() -> None:
    topology = lay_out("vgg", (32, 32, 3), 10)
    with pytest.raises(ExportError, match="no cost model of cortex-m55"):
        predict(topology, 40_000, cpu="cortex-m55")
