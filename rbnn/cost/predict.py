"""What a network costs on a device, from its shapes only: instructions, and an estimate of cycles.

Instructions are turns of loops (``rbnn.cost.loops``) times what a turn was measured to take under
QEMU's ``-icount`` (``rbnn.cost.table``; ``python -m rbnn.bench.fit`` measures again). For every
layer they are within 5 % of what is measured; the tests check that.

Cycles are an **estimate**: instructions times the mean of Arm's timing table (Cortex-M4 Technical
Reference Manual, table 3-1) over a kernel's code (``rbnn.bench.fit_cycles``), without flash wait
states, which a board's cache or prefetch hides more or less.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from rbnn.container.errors import ExportError
from rbnn.cost.loops import count_draws, count_turns
from rbnn.cost.table import COSTS, CYCLES_PER_INSTRUCTION, STREAM_CYCLES_PER_INSTRUCTION
from rbnn.nets.topology import Layer, Topology
from rbnn.operators.workings import Turns
from rbnn.spec.layout import Cipher

ROUNDS = {Cipher.CHACHA20: 20, Cipher.CHACHA12: 12, Cipher.CHACHA8: 8}
DEFAULT_CPU = "cortex-m4"


@dataclass(frozen=True)
class LayerCost:
    """The cost of one layer in one inference.

    Args:
        kernel: instructions of the kernel itself.
        reconfiguration: instructions of the key stream; 0 for a resident layer.
        cycles: estimated, both together.
    """

    kernel: int
    reconfiguration: int
    cycles: int

    @property
    def instructions(self) -> int:
        """Kernel and reconfiguration."""
        return self.kernel + self.reconfiguration


def predict(
    topology: Topology,
    work_bytes: int,
    resident: Collection[int] = (),
    cipher: Cipher = Cipher.CHACHA20,
    cpu: str = DEFAULT_CPU,
) -> tuple[LayerCost, ...]:
    """Costs of every layer of one inference.

    Args:
        topology: with padded channels (:func:`rbnn.nets.padding.pad`).
        work_bytes: working memory, at least what every layer needs.
        resident: numbers of the layers whose weights stay reconfigured; their first run after a
            task switch streams.
        cipher: of the key stream.
        cpu: as in a board's manifest.

    Raises:
        ExportError: there are no costs for that core, or for a layer on it.
    """
    if cpu not in COSTS:
        raise ExportError(
            f"There is no cost model of {cpu}.", f"This version has: {', '.join(COSTS)}."
        )
    return tuple(
        _predict_layer(layer, work_bytes, number in resident, cipher, cpu)
        for number, layer in enumerate(topology.layers)
    )


def _predict_layer(
    layer: Layer, work_bytes: int, is_resident: bool, cipher: Cipher, cpu: str
) -> LayerCost:
    costs = COSTS[cpu]
    turns = count_turns(layer, work_bytes)
    if not costs.keys() >= {loop for loop, count in turns.items() if count}:
        raise ExportError(
            f"The cost of a {layer.op.hyphened} layer of this shape on {cpu} was never measured.",
            "Measure it: python -m rbnn.bench.fit",
        )
    kernel = _sum(turns, costs)
    stream = 0.0
    if not is_resident:
        draws = count_draws(layer, work_bytes)
        blocks = draws["stream block"] + draws["stream rest"]
        fewer = (ROUNDS[Cipher.CHACHA20] - ROUNDS[cipher]) // 2
        stream = _sum(draws, costs) - fewer * blocks * costs["stream double round"]
    cycles = kernel * CYCLES_PER_INSTRUCTION[layer.op.name] + stream * STREAM_CYCLES_PER_INSTRUCTION
    return LayerCost(round(kernel), round(stream), round(cycles))


def _sum(turns: Turns, costs: dict[str, float]) -> float:
    return sum(count * costs[loop] for loop, count in turns.items() if count)
