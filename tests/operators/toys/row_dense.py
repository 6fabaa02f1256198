"""The toy operator ``row_dense``: one with weights, working memory and logits."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import numpy.typing as npt

from rbnn.nets.topology import Layer
from rbnn.operators.windows import Sums, signs
from rbnn.operators.workings import Kernel, Turns, Workings, tile_bytes
from rbnn.spec.layout import Packing
from rbnn.spec.operators import Operator, Reads, Writes

ROW_DENSE = Operator(
    number=201,
    name="row_dense",
    title="dense",
    doc="Inner products (+-1) of all input bits, then the scale and bias of each class.",
    kernel="rbnn_row_dense",
    reads=Reads.BITS,
    writes=Writes.LOGITS,
    packing=Packing.ROWS,
    needs_work=True,
)


class RowDense(Workings):
    """See :class:`Workings`."""

    def compute(self, layer: Layer, given: npt.NDArray[Any], kernel: Kernel | None) -> Sums:
        """Inner products of +-1 values."""
        assert kernel is not None
        return np.asarray(signs(given.reshape(len(given), -1)) @ signs(kernel)).astype(np.int64)

    def least_work_bytes(self, layer: Layer) -> int:
        """One tile."""
        return tile_bytes(layer)

    def count_turns(self, layer: Layer, work_bytes: int) -> Turns:
        """Bit by bit."""
        return Counter({"row_dense bit": layer.bits})
