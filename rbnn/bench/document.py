"""Figures of several boards side by side: one table for the terminal, one document."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.table import Table

from rbnn.bench.document_text import DENSE, HEAD, NOT_COVERED, PEERS
from rbnn.bench.figures import BenchFigures, BenchLayer, BenchNetwork
from rbnn.bench.goals import missed_goals
from rbnn.bench.layers import STANDARD
from rbnn.cost import peer_table, peers
from rbnn.pages.table import markdown_table


def summary_table(boards: Sequence[BenchFigures]) -> Table:
    """Standard layers and the network: every board's figures, those of the peers, and the goals."""
    first = boards[0]
    table = Table(title="Instructions per multiply-accumulate, streaming / plain")
    table.add_column("", no_wrap=True)
    for figures in boards:
        table.add_column(_core(figures), justify="right")
    for name in ("goal", "best peer", f"ratio, {_core(first)}"):
        table.add_column(name, justify="right")
    for name in STANDARD:
        layer = first.layer(name)
        table.add_row(
            name,
            *(_both(figures.layer(name)) for figures in boards),
            f"{_optional(layer.goal)} / {_optional(layer.goal_plain)}",
            f"{layer.peer_per_mac:.3f} {layer.peer}" if layer.peer_per_mac else "",
            _ratios(layer),
        )
    if first.network is not None and first.network.peer_instructions is not None:
        table.add_row(
            f"{first.network.architecture}, whole",
            *(_network_rate(figures.network) for figures in boards),
            "",
            f"{first.network.peer_instructions / first.network.macs:.3f}",
            f"{first.network.ratio:.1f} (goal {peers.NETWORK_GOAL:g})",
        )
    table.add_row(
        "key stream, per byte",
        *(f"{one.key_streams[0].counts / one.key_streams[0].bytes:.2f}" for one in boards),
        f"{peers.KEY_STREAM_GOAL:g}",
    )
    return table


def document(boards: Sequence[BenchFigures], smaller: Sequence[BenchFigures] = ()) -> str:
    """The text of docs/benchmarks.md.

    Args:
        boards: the Cortex-M4 first.
        smaller: the same boards with a second network.
    """
    parts = [HEAD, _setting(boards), _networks(boards), _application(boards)]
    parts += [_networks(smaller)] if smaller else []
    parts += [_standard(boards), _goals(boards[0]), _ciphers(boards), _spreads(boards)]
    parts += [_peers(), NOT_COVERED]
    return "\n".join(part for part in parts if part)


def _core(figures: BenchFigures) -> str:
    return figures.cpu.replace("cortex-m", "Cortex-M")


def _setting(boards: Sequence[BenchFigures]) -> str:
    lines = [f"- {boards[0].compiler}, `-O2`", f"- {boards[0].emulator}"]
    lines += [
        f"- {figures.title}: `{figures.command}`; {figures.work_bytes:,} bytes of working memory"
        for figures in boards
    ]
    return "\n".join([*lines, ""])


def _standard(boards: Sequence[BenchFigures]) -> str:
    first = boards[0]
    names = [peer.name for peer in peer_table.PEERS]
    rows = []
    for name, shape in STANDARD.items():
        layer = first.layer(name)
        rates = [peer.rate(name) for peer in peer_table.PEERS]
        rows.append(
            [
                f"{name}: {shape.op.name} {layer.shape}",
                f"**{layer.instructions_per_mac:.4f}**",
                f"**{layer.instructions_per_mac_plain:.4f}**",
                _optional(layer.instructions_per_mac_resident),
                *("-" if rate is None else f"{rate.per_mac:.3f}" for rate in rates),
                _ratios(layer),
            ]
        )
    head = [
        "layer",
        "streaming",
        "plain",
        "resident",
        *names,
        "times fewer than the best peer, streaming / plain",
    ]
    text = f"## Standard layers, {_core(first)}, instructions per MAC\n\n" + markdown_table(
        head, rows
    )
    if len(boards) > 1:
        text += "\n### The same on all cores, streaming / plain\n\n" + markdown_table(
            ["layer", *map(_core, boards)],
            ([name, *(_both(figures.layer(name)) for figures in boards)] for name in STANDARD),
        )
    return text


def _goals(figures: BenchFigures) -> str:
    rows = [
        [
            name,
            f"{_optional(goal.stream)} / {_optional(goal.plain)}",
            _both(figures.layer(name)),
        ]
        for name, goal in peers.GOALS.items()
    ]
    missed = [f"- {line}" for line in missed_goals(figures)]
    text = f"## Goals, {_core(figures)}\n\n" + markdown_table(
        ["layer", "goal, streaming / plain", "reached"], rows
    )
    if missed:
        text += "\nMissed:\n\n" + "\n".join([*missed, ""])
        return text + (DENSE if any(line.startswith("- dense,") for line in missed) else "")
    return text + "\nAll goals are reached, including those below.\n"


def _ciphers(boards: Sequence[BenchFigures]) -> str:
    streams = boards[0].key_streams
    rows = [
        [
            f"ChaCha{stream.rounds}",
            *(_per_byte(figures, number) for figures in boards),
        ]
        for number, stream in enumerate(streams)
    ]
    rows.append(["key, once per switch", *(f"{figures.key:,}" for figures in boards)])
    return (
        f"## Key stream, {streams[0].bytes:,} bytes, instructions per byte\n\n"
        + markdown_table(["", *map(_core, boards)], rows)
        + f"\nThe goal for ChaCha20 is {peers.KEY_STREAM_GOAL:g}. "
        "The xor with the stored bits is included.\n"
    )


def _per_byte(figures: BenchFigures, number: int) -> str:
    stream = figures.key_streams[number]
    return f"{stream.counts / stream.bytes:.2f}"


def _networks(boards: Sequence[BenchFigures]) -> str:
    first = boards[0]
    network = first.network
    if network is None:
        return ""
    rows: list[list[str]] = []
    measures: list[tuple[str, Callable[[BenchNetwork], str]]] = [
        ("streaming", lambda one: f"{one.instructions:,}"),
        ("per MAC", lambda one: f"{one.instructions / one.macs:.4f}"),
        ("plain", lambda one: f"{one.instructions_plain:,}"),
        ("share of reconfiguration", lambda one: f"{one.reconfiguration_share:.1%}"),
        ("at the peers' best rates", lambda one: f"{one.peer_instructions or 0:,}"),
        ("times fewer", lambda one: f"**{one.ratio or 0:.1f}**"),
    ]
    for what, say in measures:
        rows.append([what, *(say(one.network) if one.network else "" for one in boards)])
    side = "x".join(map(str, network.input_shape))
    text = (
        f"## Whole network: {_shape(network)}, {network.bits:,} bits, {side} input, "
        f"{network.macs:,} MACs\n\n" + markdown_table(["instructions", *map(_core, boards)], rows)
    )
    layers = [layer for layer in first.layers if "/" in layer.name]
    return (
        text
        + f"\nThe goal is {peers.NETWORK_GOAL:g} times fewer.\n\n"
        + f"### {_shape(network)} layer by layer, {_core(first)}\n\n"
        + markdown_table(
            ["layer", "MACs", "instructions", "per MAC", "plain", "reconfiguration"],
            (_layer_row(layer) for layer in layers),
        )
    )


def _shape(network: BenchNetwork) -> str:
    """For example ``resnet 64/7/3``: architecture, width, depth, stages."""
    sizes = [network.width, network.depth, network.stages]
    text = "/".join(str(size) for size in sizes if size is not None)
    return f"{network.architecture} {text}".rstrip()


def _layer_row(layer: BenchLayer) -> list[str]:
    return [
        f"{layer.name.partition('/')[2]} {layer.shape}",
        f"{layer.macs:,}" if layer.macs else "",
        f"{layer.instructions:,}",
        _optional(layer.instructions_per_mac),
        _optional(layer.instructions_per_mac_plain),
        f"{layer.reconfiguration_share:.1%}",
    ]


def _application(boards: Sequence[BenchFigures]) -> str:
    rows: list[list[str]] = []
    for figures in boards:
        product = figures.application
        if product is None:
            continue
        added = product.switch / product.inference if product.switch and product.inference else None
        rows.append(
            [
                _core(figures),
                f"{product.code:,}",
                f"{product.ram:,}",
                "" if product.peak_ram is None else f"{product.peak_ram:,}",
                _thousands(product.switch),
                _thousands(product.inference),
                "" if added is None else f"{added:.1%}",
            ]
        )
    if not rows:
        return ""
    head = ["", "code", "RAM", "peak RAM", "task switch", "inference", "switch adds"]
    return (
        "## The product firmware with this network\n\n"
        + markdown_table(head, rows)
        + f"\nSizes in bytes; times in instructions, measured over the serial line. Code is all "
        f"flash except the model (goal {peers.CODE_GOAL:,}). RAM includes the whole stack reserve "
        f"and the fingerprint region (goal {peers.RAM_GOAL:,}); peak RAM counts only the stack "
        f"that was used. A switch to another unlocked task delays its first result by the share in "
        f"the last column (goal {100 * peers.SWITCH_GOAL:g} %).\n" + _parts(boards[0])
    )


def _thousands(count: int | None) -> str:
    """Rounded: times over the serial line are in microseconds of 31 instructions each."""
    return "" if count is None else f"{round(count, -3):,}"


def _parts(figures: BenchFigures) -> str:
    """Flash and RAM by part."""
    if figures.application is None:
        return ""
    rows = [
        [part.part, f"{part.flash:,}" if part.flash else "", f"{part.ram:,}" if part.ram else ""]
        for part in figures.application.sizes.parts
    ]
    return f"\n### By part, {_core(figures)}, bytes\n\n" + markdown_table(
        ["", "flash", "RAM"], rows
    )


def _peers() -> str:
    """Where the other engines' figures come from."""
    sources = [
        [peer.name, peer.repository, peer.commit, peer.measured] for peer in peer_table.PEERS
    ]
    rates = [(peer.name, name, peer.rate(name)) for peer in peer_table.PEERS for name in STANDARD]
    kernels = [
        [engine, layer, f"`{rate.kernel}`", f"`{rate.flags}`"]
        for engine, layer, rate in rates
        if rate is not None
    ]
    return (
        PEERS
        + f"\n- {peer_table.COMPILER}\n- {peer_table.EMULATOR}\n\n"
        + markdown_table(["engine", "source", "commit", "measured on"], sources)
        + "\n### Kernels and flags that took the fewest instructions\n\n"
        + markdown_table(["engine", "layer", "kernel", "flags"], kernels)
    )


def _spreads(boards: Sequence[BenchFigures]) -> str:
    rows = [
        [
            f"{_core(figures)}, {spread.name}",
            f"{spread.inputs:,}",
            f"{spread.least:,}",
            f"{spread.most:,}",
        ]
        for figures in boards
        for spread in figures.spreads
    ]
    if not rows:
        return ""
    return (
        "## Timing does not depend on the input\n\nInstructions over random inputs, one input of "
        "all zeros and one of all ones, streaming:\n\n"
        + markdown_table(["", "inputs", "fewest", "most"], rows)
    )


def _both(layer: BenchLayer) -> str:
    return (
        f"{_optional(layer.instructions_per_mac)} / {_optional(layer.instructions_per_mac_plain)}"
    )


def _optional(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _network_rate(network: BenchNetwork | None) -> str:
    if network is None:
        return ""
    plain = network.instructions_plain / network.macs
    return f"{network.instructions / network.macs:.3f} / {plain:.3f}"


def _ratios(layer: BenchLayer) -> str:
    """How many times fewer than the best peer, whose weights are not encrypted."""
    rates = (layer.instructions_per_mac, layer.instructions_per_mac_plain)
    return " / ".join(
        f"{layer.peer_per_mac / rate:.1f}" for rate in rates if layer.peer_per_mac and rate
    )
