"""The benchmark's figures: their JSON, table, document, ratios and missed goals."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from rbnn.bench import rows as bench_rows
from rbnn.bench.document import document, summary_table
from rbnn.bench.figures import (
    BenchApplication,
    BenchFigures,
    BenchLayer,
    BenchNetwork,
    KeyStream,
    Spread,
)
from rbnn.bench.goals import missed_goals
from rbnn.bench.layers import STANDARD, standard_cases
from rbnn.bench.tables import bench_report
from rbnn.cost import peer_table, peers
from rbnn.image.sizes import PartSize, SizeReport
from rbnn.nets.architectures import lay_out
from rbnn.nets.topology import Layer
from rbnn.spec import operators

SIZES = SizeReport(
    board="qemu",
    parts=(PartSize(part="engine", flash=20_000, ram=50_000),),
    flash=90_000,
    flash_limit=4_000_000,
    ram=80_000,
    ram_limit=4_000_000,
    stack=16_384,
    provisioning=1_700,
    provisioning_limit=131_072,
)


def layer(name: str, shape: Layer, per_mac: float) -> BenchLayer:
    """A standard layer at that rate; a fifth of it is reconfiguration."""
    goal, (peer, rate) = peers.GOALS[name], peers.best(name)
    count = round(shape.macs * per_mac)
    return BenchLayer(
        name=name,
        operator=shape.op.name,
        shape=bench_rows.describe_shape(shape),
        macs=shape.macs,
        instructions=count,
        instructions_plain=round(count * 0.8),
        instructions_per_mac=count / shape.macs,
        instructions_per_mac_plain=round(count * 0.8) / shape.macs,
        instructions_per_mac_resident=round(count * 0.8) / shape.macs,
        reconfiguration_share=0.2,
        crc_ok=True,
        goal=goal.stream,
        goal_plain=goal.plain,
        peer=peer,
        peer_per_mac=rate,
    )


def figures(cpu: str = "cortex-m4", *, per_mac: float = 0.1, most: int = 900) -> BenchFigures:
    """A board whose layers all run at ``per_mac``."""
    layers = [layer(name, shape, per_mac) for name, shape in STANDARD.items()]
    pool = Layer(operators.AVERAGE_POOL, (4, 4, 32), (1, 1, 32), 0, 4, 4)
    layers.append(bench_rows.layer_figures("resnet/4 pool", pool, stream=10, plain=10))
    return BenchFigures(
        board="qemu",
        title="an emulated board",
        cpu=cpu,
        unit="instructions",
        work_bytes=24_576,
        layers=tuple(layers),
        network=BenchNetwork(
            architecture="resnet",
            width=64,
            depth=6,
            stages=2,
            cipher="chacha20",
            input_shape=(32, 32, 3),
            bits=480_000,
            macs=50_000_000,
            instructions=5_000_000,
            instructions_plain=4_000_000,
            reconfiguration_share=0.2,
            peer_instructions=30_000_000,
            ratio=6.0,
        ),
        key=12_000,
        key_streams=(
            KeyStream(rounds=20, bytes=4096, counts=49_152),
            KeyStream(rounds=8, bytes=4096, counts=20_480),
        ),
        spreads=(Spread(name="conv_a", inputs=1_002, least=900, most=most),),
        application=BenchApplication(
            code=40_000,
            ram=80_000,
            peak_ram=70_000,
            stack_used=6_384,
            switch=40_000,
            inference=5_000_000,
            sizes=SIZES,
        ),
        compiler="gcc 12.2.1",
        emulator="QEMU 7.2",
        command="rbnn bench device --board qemu",
    )


def printed(renderable: object) -> str:
    file = io.StringIO()
    Console(file=file, width=200, markup=False).print(renderable)
    return file.getvalue()


def test_the_json_names_every_layer_and_its_rates() -> None:
    found = json.loads(figures().model_dump_json())
    names = [one["name"] for one in found["layers"]]
    assert names == ["conv_a", "conv_b", "dense", "stem", "resnet/4 pool"]
    for one in found["layers"][:4]:
        assert 0.09 < one["instructions_per_mac"] < 0.11
        assert one["instructions_per_mac_plain"] < one["instructions_per_mac"]
        assert one["crc_ok"] and one["reconfiguration_share"] == 0.2
    assert found["layers"][4]["instructions_per_mac"] is None
    assert found["unit"] == "instructions"


def test_the_best_peer_of_each_column() -> None:
    assert peers.best("conv_a") == ("Larq Compute Engine, portable kernel", 0.6796)
    assert peers.best("conv_b") == ("3PXNet", 0.5912)
    assert peers.best("dense") == ("3PXNet", 0.5451)
    assert peers.best("stem") == ("CMSIS-NN, int8", 3.4619)


def test_a_network_is_estimated_at_the_peers_best_rates() -> None:
    topology = lay_out("vgg", (32, 32, 3), 10, 64, None)
    expected = sum(
        one.macs * {operators.STEM: 3.4619, operators.CONV: 0.5912, operators.DENSE: 0.5451}[one.op]
        for one in topology.layers
        if one.bits
    )
    assert peers.estimate(topology) == round(expected)


def test_goals_reached_and_missed() -> None:
    assert list(missed_goals(figures())) == []
    slow = list(missed_goals(figures(per_mac=0.2, most=901)))
    assert [line.partition(":")[0] for line in slow] == [
        "conv_a, streaming",
        "conv_a, plain",
        "conv_b, streaming",
        "conv_b, plain",
        "conv_a",
    ]
    assert "900 to 901" in slow[-1]


def test_a_missed_goal_is_named_as_it_is_defined(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "KEY_STREAM_GOAL", 11.5)
    monkeypatch.setattr(peers, "NETWORK_GOAL", 7.0)
    monkeypatch.setattr(peers, "SWITCH_GOAL", 0.005)
    named = [line.rpartition(" goal is ")[2] for line in missed_goals(figures())]
    assert named == ["11.5.", "7.", "0.5 %."]


def test_the_table_says_nothing_of_our_goals() -> None:
    assert "goal" not in printed(bench_report(figures(per_mac=0.2, most=901)))
    said = printed(bench_report(figures(per_mac=0.2, most=901)))
    assert "0.200" in said
    assert "NOT the same" in said
    assert "resnet, whole" in said
    assert "0.80% later" in said


def test_cycles_are_compared_with_no_peer_and_no_goal() -> None:
    case = standard_cases()[0]
    macs = case.layer.macs
    row = bench_rows.layer_figures("conv_a", case.layer, stream=macs, plain=macs)
    assert (row.instructions_per_mac, row.goal, row.peer, row.peer_per_mac) == (1, None, None, None)
    network = figures().network
    assert network is not None
    alone = network.model_copy(update={"peer_instructions": None, "ratio": None})
    cycles = figures().model_copy(update={"unit": "cycles", "layers": (row,), "network": alone})
    said = printed(bench_report(cycles))
    assert "Cycles on" in said and "1.000" in said and "!" not in said


def test_one_table_of_all_boards() -> None:
    said = printed(summary_table([figures(), figures("cortex-m3", per_mac=0.3)]))
    assert "Cortex-M4" in said and "Cortex-M3" in said
    assert "6.8 / 8.5" in said and "0.300 / 0.240" in said
    assert "6.0 (goal 5)" in said


def test_the_document_is_reproducible_and_holds_every_part() -> None:
    boards = [figures(), figures("cortex-m7"), figures("cortex-m3", per_mac=0.3)]
    text = document(boards)
    assert text == document(boards)
    for part in (
        "# Benchmarks",
        "gcc 12.2.1",
        "| conv_a: conv 3x3 64 -> 64, 16x16 | **0.1000** | **0.0800** | 0.080 |",
        "## Goals, Cortex-M4",
        "| ChaCha20 | 12.00 | 12.00 | 12.00 |",
        "## Whole network: resnet 64/6/2, 480,000 bits",
        "| 4 pool 4x4/4 32 -> 32, 1x1 |",
        "| engine | 20,000 | 50,000 |",
        "| Cortex-M3, conv_a | 1,002 | 900 | 900 |",
        "## What is not covered",
        "All goals are reached",
    ):
        assert part in text, part
    assert "Missed:" in document([figures(per_mac=0.2)])


def test_the_document_says_what_was_measured_of_other_engines_and_how() -> None:
    text = document([figures()])
    for peer in peer_table.PEERS:
        assert f"| {peer.name} | {peer.repository} | {peer.commit} | {peer.measured} |" in text
        assert len(peer.commit) == 40
        for name in STANDARD:
            rate = peer.rate(name)
            if rate is not None:
                assert f"| {peer.name} | {name} | `{rate.kernel}` | `{rate.flags}` |" in text
    assert peer_table.COMPILER in text and peer_table.EMULATOR in text


def test_the_shipped_network_comes_first() -> None:
    first, second = figures(), figures()
    assert first.network is not None
    network = first.network.model_copy(update={"depth": 7, "stages": 3})
    text = document([first.model_copy(update={"network": network})], [second])
    places = [text.index(f"## Whole network: resnet 64/{one}") for one in ("7/3", "6/2")]
    assert places == sorted(places) and places[1] < text.index("## Standard layers")
