"""Which goals a measurement did not reach."""

from __future__ import annotations

from collections.abc import Iterator

from rbnn.bench.figures import BenchFigures
from rbnn.cost import peers


def missed_rates(figures: BenchFigures) -> Iterator[str]:
    """Standard layers that did not reach their goals, one line each."""
    for layer in figures.layers:
        for what, value, goal in (
            ("streaming", layer.instructions_per_mac, layer.goal),
            ("plain", layer.instructions_per_mac_plain, layer.goal_plain),
        ):
            if value is not None and goal is not None and value > goal:
                yield f"{layer.name}, {what}: {value:.4f} per MAC; the goal is {goal:.3f}."


def missed_goals(figures: BenchFigures) -> Iterator[str]:
    """Goals for a Cortex-M4 that a measurement did not reach, one line each."""
    yield from missed_rates(figures)
    stream = figures.key_streams[0]
    rate, goal = stream.counts / stream.bytes, peers.KEY_STREAM_GOAL
    if rate > goal:
        yield f"Key stream: {rate:.2f} instructions per byte; the goal is {goal:g}."
    network, product = figures.network, figures.application
    ratio, goal = None if network is None else network.ratio, peers.NETWORK_GOAL
    if ratio is not None and ratio < goal:
        yield f"Whole network: {ratio:.2f} times fewer than the peers; the goal is {goal:g}."
    if product is not None and product.switch is not None and product.inference is not None:
        added, goal = product.switch / product.inference, peers.SWITCH_GOAL
        if added > goal:
            yield f"Task switch: {added:.2%} of an inference; the goal is {100 * goal:g} %."
    if product is not None and product.ram > peers.RAM_GOAL:
        yield f"RAM: {product.ram:,} bytes; the goal is {peers.RAM_GOAL:,}."
    if product is not None and product.code > peers.CODE_GOAL:
        yield f"Code: {product.code:,} bytes; the goal is {peers.CODE_GOAL:,}."
    for spread in figures.spreads:
        if spread.least != spread.most:
            counts = f"{spread.least:,} to {spread.most:,}"
            yield f"{spread.name}: {counts} instructions over {spread.inputs:,} inputs."
