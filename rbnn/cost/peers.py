"""What other engines for Cortex-M need, and the goals of this one.

Instructions per nominal multiply-accumulate on an emulated Cortex-M4, each engine with its own
padding: ``make bench-engines`` measures them (``rbnn.bench.engines``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rbnn.cost.peer_table import PEERS
from rbnn.nets.topology import Layer, Topology
from rbnn.spec import operators

INT8 = PEERS[-1]

Int8Kind = Literal["stem", "conv", "dense"]
"""Layers of an int8 network: the first convolution, any other one, a dense layer."""


@dataclass(frozen=True)
class Goal:
    """Most instructions per multiply-accumulate: with plain weights, and with streaming."""

    plain: float
    stream: float | None


GOALS = {
    "conv_a": Goal(0.115, 0.125),
    "conv_b": Goal(0.125, 0.160),
    "dense": Goal(0.170, None),
    "stem": Goal(1.0, 1.0),
}
KEY_STREAM_GOAL = 13.0
"""Instructions per byte, ChaCha20, 4 KB."""
NETWORK_GOAL = 5.0
"""How many times fewer instructions than at the peers' rates."""
SWITCH_GOAL = 0.01
"""Share of an inference that a task switch may add to it."""
RAM_GOAL = 96 * 1024
CODE_GOAL = 48 * 1024


_COLUMNS = {
    operators.STEM: ("stem",),
    operators.CONV: ("conv_a", "conv_b"),
    operators.DENSE: ("dense",),
    operators.DENSE_STREAM: ("dense",),
    operators.STEM8: ("stem",),
    operators.DENSE8: ("dense",),
    operators.DENSE_STREAM8: ("dense",),
}
"""Whose rates stand for an operator; the peers have no others. For 8-bit weights this is favourable
to them: the best dense rate is one of binary weights."""


def best(column: str) -> tuple[str, float]:
    """Name and rate of the peer that needs the fewest instructions for a standard layer."""
    rates = {peer.name: peer.rate(column) for peer in PEERS}
    known = {name: rate.per_mac for name, rate in rates.items() if rate is not None}
    name = min(known, key=lambda one: known[one])
    return name, known[name]


def rate(layer: Layer) -> float:
    """The best rate that any peer reaches for a layer of this kind, whatever its shape.

    1x1 and strided convolutions count at the best rate of a 3x3 one; pools are free.
    """
    return min((best(column)[1] for column in _COLUMNS.get(layer.op, ())), default=0.0)


def estimate(topology: Topology) -> int:
    """Instructions of a whole network at the best peer's rates."""
    return round(sum(layer.macs * rate(layer) for layer in topology.layers))


def int8_rate(kind: Int8Kind) -> float:
    """Instructions of CMSIS-NN per multiply-accumulate of an int8 layer.

    Convolutions, depthwise and 1x1 ones too, count at the best rate of a 3x3 one: none of the
    others was measured, and a depthwise one, which uses each value less often, takes more.
    """
    known = {"stem": (INT8.stem,), "conv": (INT8.conv_a, INT8.conv_b), "dense": (INT8.dense,)}
    return min(rate.per_mac for rate in known[kind] if rate is not None)
