"""How often the device's kernels run through each of their loops, from shapes and working memory.

Each operator counts its own (:mod:`rbnn.operators`). A loop's name is the key of its cost in
``rbnn.cost.table``; costs are instructions a turn, so a layer takes the sum of turns times costs.
No count depends on data.
"""

from __future__ import annotations

from collections import Counter

from rbnn.nets.topology import Layer
from rbnn.operators.workings import WORKINGS, Turns
from rbnn.spec.packing import UNIT_BYTES


def count_turns(layer: Layer, work_bytes: int) -> Turns:
    """Turns of every loop of one run, apart from reconfiguration.

    Args:
        layer: its channels are padded.
        work_bytes: working memory, at least what the layer needs to run.
    """
    turns = WORKINGS[layer.op].count_turns(layer, work_bytes)
    turns[layer.op.name] += 1
    return turns


def count_draws(layer: Layer, work_bytes: int) -> Turns:
    """Turns that reconfiguration adds if the layer's bits stream: calls and blocks."""
    turns: Turns = Counter()
    if not layer.bits:
        return turns
    turns["stream layer"] = 1
    for size, calls in WORKINGS[layer.op].draws(layer, work_bytes).items():
        turns["stream call"] += calls
        turns["stream block"] += calls * (size // UNIT_BYTES)
        turns["stream rest"] += calls * bool(size % UNIT_BYTES)
    return turns
