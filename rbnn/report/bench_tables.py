"""The benchmark's figures as a person reads them."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from rbnn.report import peers
from rbnn.report.bench_figures import BenchFigures, BenchLayer


def bench_report(figures: BenchFigures) -> RenderableType:
    """Everything that ``rbnn bench device`` measured on one board."""
    return Group(_layers(figures), *_lines(figures))


def _layers(figures: BenchFigures) -> Table:
    table = Table(title=f"{figures.unit.capitalize()} on {figures.title}", title_justify="left")
    table.add_column("layer", no_wrap=True)
    table.add_column("shape")
    for name in ("MACs", figures.unit, "per MAC", "plain", "reconf.", "best peer", "ratio"):
        table.add_column(name, justify="right", no_wrap=True)
    for layer in figures.layers:
        if layer.name.endswith("/0 stem"):
            table.add_section()
        table.add_row(*_cells(layer))
    network = figures.network
    if network is not None:
        table.add_section()
        per_mac, peer = network.instructions / network.macs, network.peer_instructions
        plain = network.instructions_plain / network.macs
        table.add_row(
            f"{network.architecture}, whole",
            f"{network.bits:,} bits",
            f"{network.macs:,}",
            f"{network.instructions:,}",
            f"{per_mac:.3f}",
            f"{plain:.3f}",
            f"{network.reconfiguration_share:.1%}",
            f"{peer / network.macs:.3f}" if peer else "",
            f"{network.ratio:.1f} / {peer / network.instructions_plain:.1f}" if peer else "",
        )
    return table


def _cells(layer: BenchLayer) -> tuple[str, ...]:
    per_mac, plain = layer.instructions_per_mac, layer.instructions_per_mac_plain
    peer = layer.peer_per_mac
    ratios = [f"{peer / rate:.1f}" for rate in (per_mac, plain) if peer and rate]
    return (
        layer.name,
        layer.shape,
        f"{layer.macs:,}" if layer.macs else "",
        f"{layer.instructions:,}",
        _rate(per_mac, layer.goal),
        _rate(plain, layer.goal_plain),
        f"{layer.reconfiguration_share:.1%}",
        f"{peer:.3f}" if peer else "",
        " / ".join(ratios),
    )


def _rate(value: float | None, goal: float | None) -> str:
    """A rate; an exclamation mark where it misses its goal."""
    if value is None:
        return ""
    return f"{value:.3f}" + ("!" if goal is not None and value > goal else "")


def _lines(figures: BenchFigures) -> Iterator[Text]:
    """What is not a layer, a line each."""
    unit = figures.unit
    streams = ", ".join(
        f"ChaCha{one.rounds} {one.counts / one.bytes:.2f}" for one in figures.key_streams
    )
    yield Text(
        f"Key stream of {figures.key_streams[0].bytes:,} bytes, {unit} a byte: {streams}; "
        f"its key, once a switch: {figures.key:,}."
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
    text = f"The product's firmware: {product.code:,} bytes of code, {product.ram:,} of RAM"
    if product.peak_ram is not None:
        text += f" ({product.peak_ram:,} at its peak, {product.stack_used:,} of them stack)"
    yield Text(text + ".")
    if product.switch is not None and product.inference is not None:
        yield Text(
            f"Task switch {product.switch:,} {unit}, inference {product.inference:,}: the first "
            f"result comes {product.switch / product.inference:.2%} later than an inference takes "
            f"(goal: {peers.SWITCH_GOAL:.0%})."
        )
