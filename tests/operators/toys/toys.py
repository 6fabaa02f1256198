"""What the tests have while the toy operators are there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from toys.min_pool import MIN_POOL
from toys.row_dense import ROW_DENSE

from rbnn.engine.native import build_library
from rbnn.nets.topology import Layer, Topology
from rbnn.spec import operators
from rbnn.spec.layout import Output, Stage

HERE = Path(__file__).parent
KERNELS = (HERE / "min_pool.c", HERE / "row_dense.c")


@dataclass(frozen=True)
class Toys:
    """What was made of the two descriptors.

    Args:
        headers: a folder with the generated header, for ``-I``.
        library: the C engine with their kernels.
    """

    headers: Path
    library: Path


def build_engine(folder: Path, sources: Sequence[Path], *flags: str) -> Path:
    """The engine with further kernels and the header of ``folder``; quickly, not for speed."""
    return build_library(sources, ["-O1", f"-I{folder}", *flags], folder)


def network() -> Topology:
    """A stem, the minimum over 3x3 windows that overlap, a convolution, and logits."""
    bits = {"stage": Stage.THRESHOLD, "output": Output.BITS}
    return Topology(
        "toy",
        (12, 12, 3),
        20,
        (
            Layer(operators.STEM, (12, 12, 3), (12, 12, 64), -1, 3, pad=1, **bits),  # type: ignore[arg-type]
            Layer(MIN_POOL, (12, 12, 64), (5, 5, 64), 0, 3, 2, output=Output.BITS),
            Layer(operators.CONV, (5, 5, 64), (5, 5, 32), 1, 3, pad=1, **bits),  # type: ignore[arg-type]
            Layer(ROW_DENSE, (5, 5, 32), (1, 1, 20), 2),
        ),
    )
