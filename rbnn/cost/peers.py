"""What other engines for Cortex-M need, and the goals of this one.

Instructions per nominal multiply-accumulate on an emulated Cortex-M4 (QEMU's mps2-an386 under
``-icount``, GCC 12.2 with ``-O2``), each engine with its own padding. What else is known of the
measurement is in :class:`Peer`; the programs that made it are not part of this repository.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rbnn.nets.topology import Layer, Topology
from rbnn.spec import operators

NOT_RECORDED = "not recorded"


@dataclass(frozen=True)
class Peer:
    """One engine.

    Args:
        name: as the tables print it.
        conv_a: its rate for that standard layer; None if it has no such kernel, as the next three.
        conv_b: see ``conv_a``.
        dense: see ``conv_a``.
        stem: see ``conv_a``.
        repository: where its source is published.
        commit: of the source that was measured.
        flags: of the compiler, beside those of the target.
        recorded: when the figures entered this file, the latest day on which they were measured.
    """

    name: str
    conv_a: float | None
    conv_b: float | None
    dense: float | None
    stem: float | None
    repository: str
    commit: str = NOT_RECORDED
    flags: str = "-O2; others not recorded"
    recorded: str = "2026-11-21"


PEERS = (
    Peer("3PXNet", 0.699, 0.591, 0.586, 22.7, "github.com/nanocad-lab/3pxnet"),
    Peer(
        "Larq Compute Engine, portable kernel", 0.680, 0.648, None, None,
        "github.com/larq/compute-engine",
    ),
    Peer(
        "CBin-NN, optimized, index errors fixed", 0.746, 0.626, 0.815, 5.9,
        "github.com/Edge-Learning-Machine/CBin-NN; the fixes are not recorded",
    ),
    Peer("CMSIS-NN, int8", 1.761, 1.690, 1.924, 3.75, "github.com/ARM-software/CMSIS-NN"),
)  # fmt: skip
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
    rates = {peer.name: getattr(peer, column) for peer in PEERS}
    known = {name: float(rate) for name, rate in rates.items() if rate is not None}
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
    return min(float(rate) for rate in known[kind] if rate is not None)
