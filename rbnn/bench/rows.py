"""From counts to figures: what a layer, a network and the product firmware took."""

from __future__ import annotations

import math

from rbnn.bench.application import ApplicationCost
from rbnn.bench.figures import BenchApplication, BenchLayer, BenchNetwork
from rbnn.cost import peers
from rbnn.image import sizes
from rbnn.image.board import CountUnit
from rbnn.image.sizes import SizeReport
from rbnn.nets.topology import Layer, Topology
from rbnn.runs.config import RunConfig

CODE_PARTS = (sizes.ENGINE, sizes.LINK, sizes.CRYPTO, sizes.KEYS, sizes.LIBRARIES)


def layer_name(topology: Topology, number: int) -> str:
    """A network's layer as the figures call it, for example ``resnet/3 conv``."""
    return f"{topology.architecture}/{number} {topology.layers[number].op.hyphened}"


def describe_shape(layer: Layer) -> str:
    """For example ``3x3/2 64 -> 128, 8x8``: window and stride, channels, output size."""
    height, width, channels = layer.out_shape
    inputs = layer.in_shape[2] if layer.kernel else math.prod(layer.in_shape)
    window = f"{layer.kernel}x{layer.kernel}" if layer.kernel else ""
    stride = f"/{layer.stride}" if layer.stride > 1 else ""
    pool = f", pool {layer.pool}" if layer.pool > 1 else ""
    size = f", {height}x{width}" if layer.kernel else ""
    return f"{window}{stride} {inputs} -> {channels}{pool}{size}".strip()


def layer_figures(
    name: str, layer: Layer, stream: int, plain: int, resident: int | None = None
) -> BenchLayer:
    """A layer whose results were right.

    Args:
        name: of the layer.
        layer: its shape.
        stream: counts with streaming reconfiguration.
        plain: counts with the task's weights unencrypted.
        resident: counts when an earlier run reconfigured the weights and kept them.
    """
    macs = layer.macs
    return BenchLayer(
        name=name,
        operator=layer.op.name,
        shape=describe_shape(layer),
        macs=macs,
        instructions=stream,
        instructions_plain=plain,
        instructions_per_mac=stream / macs if macs else None,
        instructions_per_mac_plain=plain / macs if macs else None,
        instructions_per_mac_resident=resident / macs if macs and resident else None,
        reconfiguration_share=(stream - plain) / stream,
        crc_ok=True,  # a wrong result ended the measurement
    )


def with_peers(measured: BenchLayer) -> BenchLayer:
    """A standard layer with its goals and the best peer; for counts of instructions."""
    goal = peers.GOALS[measured.name]
    name, rate = peers.best(measured.name)
    return measured.model_copy(
        update={
            "goal": goal.stream,
            "goal_plain": goal.plain,
            "peer": name,
            "peer_per_mac": rate,
        }
    )


def network_figures(
    config: RunConfig, topology: Topology, unit: CountUnit, stream: int, plain: int
) -> BenchNetwork:
    """A whole network's figures, with the peers' estimate if the counts are instructions."""
    estimate = peers.estimate(topology) if unit == "instructions" else None
    return BenchNetwork(
        architecture=config.architecture,
        width=config.width,
        depth=config.depth,
        stages=config.stages,
        cipher=config.cipher,
        input_shape=topology.input_shape,
        bits=topology.bits,
        macs=topology.macs,
        instructions=stream,
        instructions_plain=plain,
        reconfiguration_share=(stream - plain) / stream,
        peer_instructions=estimate,
        ratio=estimate / stream if estimate else None,
    )


def application_figures(report: SizeReport, cost: ApplicationCost | None) -> BenchApplication:
    """The product firmware; ``cost`` is None if it was only built, not run."""
    code = sum(part.flash for part in report.parts if part.part in CODE_PARTS)
    return BenchApplication(
        code=code,
        ram=report.ram,
        peak_ram=report.ram - report.stack + cost.stack_used if cost else None,
        stack_used=cost.stack_used if cost else None,
        switch=cost.switch if cost else None,
        inference=cost.inference if cost else None,
        sizes=report,
    )
