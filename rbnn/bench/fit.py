"""Determine the cost model's constants: ``python -m rbnn.bench.fit``.

Networks and single layers of many shapes run on the emulated boards; the instructions per turn of
each kernel loop are the non-negative least-squares solution for the relative errors. Run it after
changing a kernel; it writes ``rbnn/cost/table.py``. Only instructions are measured; cycles are
estimated from the kernels' code (``rbnn.bench.fit_cycles``).
"""

from __future__ import annotations

import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.optimize import nnls

from rbnn.bench.fit_cycles import estimate_cycles
from rbnn.bench.fit_networks import Subject, measure_key_stream, measure_layers, measure_network
from rbnn.container.work import least_work_bytes, most_work_bytes
from rbnn.cost import table as cost_table
from rbnn.cost.loops import count_draws, count_turns
from rbnn.files import write_atomic
from rbnn.image.board import load_board
from rbnn.image.defaults import MEASURED_BOARDS
from rbnn.nets.topology import Layer
from rbnn.operators.workings import Turns
from rbnn.spec import operators
from rbnn.spec.layout import Activation, Output, Sign, Stage

StageKind = tuple[Stage, Activation, Sign]

SUBJECTS = (
    Subject("resnet", 64),
    Subject("vgg", 64),
    Subject("reactnet", 64),
    Subject("resnet", 64, work=0.3),
    Subject("reactnet", 32, work=0.0, classes=47),
    Subject("vgg", 32, work=0.0, classes=47),
    Subject("resnet", 32, 4, 0.0, (16, 16, 3), 20),
    Subject("vgg", 96, None, 0.5, (32, 32, 1), 7),
    Subject("reactnet", 96, None, 1.0, (32, 32, 1), 3),
    Subject("resnet", 128, 4, 0.15),
    Subject("vgg", 64, None, 0.1, classes=30),
    Subject("reactnet", 160, None, 0.5, (16, 16, 3), 5),
    Subject("resnet", 64, 7, ends=8),
    Subject("resnet", 128, 4, 0.15, classes=20, ends=8),
    Subject("resnet", 160, 4, 0.2, (16, 16, 1), 47, ends=8),
    Subject("reactnet", 32, 3, 0.0, (32, 32, 3), 5, ends=8),
    Subject("vgg", 32, None, 0.0, classes=30, ends=8),
)
STEMS = (
    (32, 32, 3, 64, 3, 1, 1, 1), (32, 32, 3, 64, 3, 1, 1, 2), (28, 28, 1, 32, 3, 1, 1, 1),
    (28, 28, 1, 64, 5, 1, 2, 2), (16, 16, 3, 96, 3, 1, 1, 1), (16, 24, 2, 32, 3, 2, 1, 1),
    (20, 12, 4, 128, 3, 1, 1, 2), (32, 32, 3, 32, 5, 1, 2, 1), (40, 40, 1, 64, 7, 2, 3, 1),
    (24, 24, 3, 160, 3, 1, 1, 2), (12, 20, 1, 32, 3, 1, 0, 1), (30, 18, 2, 64, 3, 1, 1, 1),
    (30, 18, 2, 64, 3, 2, 1, 2),
)  # fmt: skip
"""Height, width, channels, filters, kernel, stride, pad, pool."""
CONVS = (
    (16, 16, 64, 64, 3, 1, 1), (8, 8, 128, 128, 3, 1, 1), (12, 7, 32, 96, 3, 1, 1),
    (9, 12, 96, 32, 3, 2, 1), (8, 8, 64, 128, 1, 1, 0), (6, 6, 32, 64, 1, 2, 0),
    (10, 11, 64, 32, 5, 1, 2), (5, 4, 32, 32, 2, 1, 0), (4, 4, 160, 64, 3, 1, 1),
    (2, 3, 96, 96, 3, 1, 2),
)  # fmt: skip
"""Height, width, channels, filters, kernel, stride, pad."""
STAGES = (
    (Stage.THRESHOLD, Activation.NONE, Sign.ZERO),
    (Stage.RESIDUAL, Activation.NONE, Sign.ZERO),
    (Stage.RESIDUAL, Activation.NONE, Sign.THRESHOLDS),
    (Stage.RESIDUAL, Activation.RPRELU, Sign.THRESHOLDS),
)
MAX_POOLS = (
    (16, 16, 64, 2, 2), (8, 8, 128, 2, 2), (5, 7, 32, 2, 1), (2, 2, 32, 2, 2), (9, 3, 96, 2, 1),
    (3, 12, 32, 2, 1), (16, 16, 64, 3, 2), (9, 12, 96, 3, 3), (12, 12, 32, 3, 1),
    (14, 14, 64, 7, 7), (8, 10, 160, 4, 2), (7, 7, 32, 5, 1), (3, 3, 32, 3, 1), (12, 4, 64, 3, 1),
    (4, 12, 32, 1, 2), (8, 8, 96, 1, 1),
)  # fmt: skip
"""Height, width, channels, kernel, stride."""
DENSES = (
    (1024, 256), (32, 1), (64, 20), (96, 40), (128, 16), (256, 10), (512, 33), (1024, 10),
    (2048, 10), (4096, 47), (8192, 10), (8224, 5), (992, 64), (1536, 17),
)  # fmt: skip
"""Inputs, classes."""
DENSES8 = ((32, 1), (64, 20), (96, 40), (128, 16), (256, 10), (288, 33), (1024, 10), (2048, 5))
DECIMALS = 2
ALONE = " alone"
"""Ends the name of what a call of a single layer takes: less than the engine takes in a network."""
HEAD = '''\
"""What one turn of a kernel's loop takes: ``python -m rbnn.bench.fit`` writes the table.

Loops that always run together share their cost as the fit happens to place it, so a single figure
need not be one loop's own.
"""

from __future__ import annotations
'''
CYCLES_NOTE = '''\
"""Cycles an instruction of a Cortex-M4, an **estimate** from the kernels' code and Arm's timing
table: see ``rbnn.bench.fit_cycles``. Flash wait states come on top."""\
'''
STREAM_NOTE = '''"""The same for ChaCha."""'''


@dataclass(frozen=True)
class Row:
    """One layer's loop turns and the instructions that it took."""

    group: str
    turns: Turns
    instructions: int


def fit(rows: Sequence[Row]) -> tuple[dict[str, float], float]:
    """Costs of the rows' loops, and the largest relative error that remains."""
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row.group].append(row)
    costs: dict[str, float] = {}
    worst = 0.0
    for members in groups.values():
        loops = sorted({loop for row in members for loop, count in row.turns.items() if count})
        counts = np.array([[row.turns[loop] for loop in loops] for row in members], float)
        shares = counts / np.array([row.instructions for row in members], float)[:, None]
        scales = shares.max(axis=0)
        solution = nnls(shares / scales, np.ones(len(members)), maxiter=100 * len(loops))[0]
        found = np.round(solution / scales, DECIMALS)
        pairs = zip(loops, found.tolist(), strict=True)
        costs |= {loop: cost for loop, cost in pairs if not loop.endswith(ALONE)}
        worst = max(worst, float(np.abs(shares @ found - 1).max()))
    return costs, worst


def staged(op: operators.Operator, shape: tuple[int, ...], stage: StageKind) -> Layer:
    """A stem or a convolution; ``shape`` as in ``STEMS`` and ``CONVS``, ``stage`` of ``STAGES``."""
    height, width, channels, filters, kernel, stride, pad, *rest = shape
    pool = rest[0] if rest else 1
    kind, activation, sign = stage
    sides = [((side + 2 * pad - kernel) // stride + 1) // pool for side in (height, width)]
    return Layer(
        op, (height, width, channels), (sides[0], sides[1], filters), -1, kernel, stride, pad,
        pool, kind, activation=activation, sign=sign,
        output=Output.BITS if kind is Stage.THRESHOLD else Output.BITS | Output.STREAM,
    )  # fmt: skip


def max_pool(shape: tuple[int, ...]) -> Layer:
    """``shape`` as in ``MAX_POOLS``."""
    height, width, channels, kernel, stride = shape
    sides = [(side - kernel) // stride + 1 for side in (height, width)]
    return Layer(
        operators.MAX_POOL, (height, width, channels), (sides[0], sides[1], channels), -1, kernel,
        stride, output=Output.BITS,
    )  # fmt: skip


def measure(board_name: str) -> tuple[dict[str, float], float]:
    """Costs on one emulated board, and the largest relative error."""
    board = load_board(board_name)
    rows: list[Row] = []

    def add(
        layer: Layer, work_bytes: int, plain: int, streamed: int, *, alone: bool = False
    ) -> None:
        turns = count_turns(layer, work_bytes)
        if alone:
            turns[layer.op.name + ALONE] = turns.pop(layer.op.name)
        rows.append(Row(layer.op.name, turns, plain))
        if draws := count_draws(layer, work_bytes):
            rows.append(Row("stream", draws, streamed - plain))

    with tempfile.TemporaryDirectory(prefix="rbnn-cost-") as temporary:
        folder = Path(temporary)
        for subject in SUBJECTS:
            print(f"{board_name}: {subject}", file=sys.stderr)
            measured = measure_network(board, subject, folder)
            pairs = zip(measured.topology.layers, measured.layers, strict=True)
            for layer, count in pairs:
                add(layer, measured.work_bytes, count.instructions_plain, count.instructions)
        stems = [staged(operators.STEM, shape, one) for one in STAGES for shape in STEMS]
        convs = [staged(operators.CONV, shape, one) for one in STAGES for shape in CONVS]
        pools = [max_pool(shape) for shape in MAX_POOLS]
        stems8 = [staged(operators.STEM8, shape, one) for one in STAGES for shape in STEMS]
        denses = [Layer(operators.DENSE, (1, 1, n), (1, 1, k), -1) for n, k in DENSES]
        denses8 = [Layer(operators.DENSE8, (1, 1, n), (1, 1, k), -1) for n, k in DENSES8]
        for layers, size in (
            (stems, least_work_bytes),
            (convs, least_work_bytes),
            (convs, most_work_bytes),
            (pools, least_work_bytes),
            (denses, least_work_bytes),
            (denses, most_work_bytes),
            (stems8, least_work_bytes),
            (denses8, least_work_bytes),
        ):
            work = max(4, *map(size, layers))
            counts = measure_layers(board, layers, work, folder)
            for layer, count in zip(layers, counts, strict=True):
                add(layer, work, count.instructions_plain, count.instructions, alone=True)
        double_round = measure_key_stream(board, folder)
    costs, worst = fit(rows)
    return costs | {"stream double round": round(double_round, DECIMALS)}, worst


def table_source(costs: dict[str, dict[str, float]]) -> str:
    """Text of ``rbnn/cost/table.py``."""
    kernels, stream = estimate_cycles()
    lines = [HEAD, "CYCLES_PER_INSTRUCTION = {"]
    lines += [f'    "{name}": {round(own, DECIMALS)},' for name, own in kernels.items()]
    lines += ["}", CYCLES_NOTE]
    lines += [f"STREAM_CYCLES_PER_INSTRUCTION = {round(stream, DECIMALS)}", STREAM_NOTE]
    lines.append("COSTS: dict[str, dict[str, float]] = {")
    for cpu, own_costs in costs.items():
        lines.append(f'    "{cpu}": {{')
        lines += [f'        "{loop}": {cost},' for loop, cost in sorted(own_costs.items())]
        lines.append("    },")
    lines.append("}")
    lines.append('"""Instructions a turn, by core and loop."""')
    return "\n".join(lines) + "\n"


def main(boards: Sequence[str]) -> None:
    """Measure the boards and write the table; other cores keep their costs."""
    costs = dict(cost_table.COSTS)
    for name in boards:
        own, worst = measure(name)
        costs[load_board(name).cpu] = own
        print(f"{name}: largest error {100 * worst:.2f} %")
        write_atomic(Path(cost_table.__file__), table_source(costs))


if __name__ == "__main__":
    main(sys.argv[1:] or MEASURED_BOARDS)
