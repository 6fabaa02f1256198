"""The benchmark's figures as tables and lines for the terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from rbnn.bench.figures import BenchFigures, BenchLayer
from rbnn.bench.layers import STANDARD


def bench_report(figures: BenchFigures) -> RenderableType:
    """Everything that ``rbnn bench device`` measured on one board."""
    return Group(_standard(figures), *_network(figures), *_lines(figures))


def _table(title: str, unit: str, more: tuple[str, ...] = ()) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column("layer", no_wrap=True)
    table.add_column("shape")
    for name in ("MACs", unit, "per MAC", "plain", "reconf.", *more):
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _standard(figures: BenchFigures) -> Table:
    """The standard layers, compared with the best other engine."""
    title = f"{figures.unit.capitalize()} on {figures.title}"
    table = _table(title, figures.unit, ("best peer", "ratio"))
    for layer in figures.layers:
        if layer.name in STANDARD:
            peer = layer.peer_per_mac
            rates = (layer.instructions_per_mac, layer.instructions_per_mac_plain)
            ratios = [f"{peer / rate:.1f}" for rate in rates if peer and rate]
            table.add_row(*_cells(layer), f"{peer:.3f}" if peer else "", " / ".join(ratios))
    return table


def _network(figures: BenchFigures) -> Iterator[RenderableType]:
    """The network's layers, and the whole network."""
    network = figures.network
    if network is None:
        return
    width = "" if network.width is None else f" of width {network.width}"
    table = _table(f"{network.architecture}{width}", figures.unit)
    for layer in figures.layers:
        if layer.name not in STANDARD:
            table.add_row(*_cells(layer))
    table.add_section()
    table.add_row(
        f"{network.architecture}, whole",
        f"{network.bits:,} bits",
        f"{network.macs:,}",
        f"{network.instructions:,}",
        f"{network.instructions / network.macs:.3f}",
        f"{network.instructions_plain / network.macs:.3f}",
        f"{network.reconfiguration_share:.1%}",
    )
    yield table
    peer = network.peer_instructions
    if peer:
        yield Text(
            f"At the peers' best rates the network takes {peer:,} {figures.unit}: "
            f"{network.ratio:.1f} times as many (plain: {peer / network.instructions_plain:.1f})."
        )


def _cells(layer: BenchLayer) -> tuple[str, ...]:
    return (
        layer.name,
        layer.shape,
        f"{layer.macs:,}" if layer.macs else "",
        f"{layer.instructions:,}",
        _rate(layer.instructions_per_mac),
        _rate(layer.instructions_per_mac_plain),
        f"{layer.reconfiguration_share:.1%}",
    )


def _rate(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _lines(figures: BenchFigures) -> Iterator[Text]:
    """Everything that is not a layer, one line each."""
    unit = figures.unit
    streams = ", ".join(
        f"ChaCha{one.rounds} {one.counts / one.bytes:.2f}" for one in figures.key_streams
    )
    yield Text(
        f"Key stream of {figures.key_streams[0].bytes:,} bytes, {unit} per byte: {streams}; "
        f"its key, once per switch: {figures.key:,}."
    )
    for spread in figures.spreads:
        same = "the same for all" if spread.least == spread.most else "NOT the same"
        counts = f"{spread.least:,}" + (
            "" if spread.least == spread.most else f" to {spread.most:,}"
        )
        yield Text(f"{spread.name}: {counts} {unit} over {spread.inputs:,} inputs: {same}.")
    yield Text(f"Working memory {figures.work_bytes:,} bytes.")
    product = figures.application
    if product is None:
        return
    text = f"The product firmware: {product.code:,} bytes of code, {product.ram:,} of RAM"
    if product.peak_ram is not None:
        text += f" ({product.peak_ram:,} at its peak, {product.stack_used:,} of that stack)"
    yield Text(text + ".")
    if product.switch is not None and product.inference is not None:
        yield Text(
            f"Task switch {product.switch:,} {unit}, inference {product.inference:,}: after a "
            f"switch, the first result comes {product.switch / product.inference:.2%} later."
        )
