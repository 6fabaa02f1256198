"""Logits over the stream with 8-bit weights; ``rbnn_dense_stream8``."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import numpy.typing as npt

from rbnn.nets.topology import Layer
from rbnn.operators.windows import Sums
from rbnn.operators.workings import WORKINGS, Kernel, Turns, Workings
from rbnn.spec import operators
from rbnn.spec.packing import WORD_BITS

BLOCK = 256
"""Values of the stream whose products 32 bits hold; ``own_weights.h``."""


class DenseStream8(Workings):
    """See :class:`Workings`."""

    def compute(self, layer: Layer, given: npt.NDArray[Any], kernel: Kernel | None) -> Sums:
        """Inner products, with float64, limited to 32 bits."""
        assert kernel is not None
        flat = given.reshape(len(given), -1).astype(np.float64)
        products = np.asarray(flat @ kernel.astype(np.float64)).astype(np.int64)
        return np.clip(products, -(2**31), 2**31 - 1)

    def count_turns(self, layer: Layer, work_bytes: int) -> Turns:
        """Class by class, block by block, word by word."""
        count, filters = layer.filter_weights, layer.out_shape[2]
        return Counter(
            {
                "dense_stream8 class": filters,
                "dense_stream8 block": filters * -(-count // BLOCK),
                "dense_stream8 word": filters * count // WORD_BITS,
            }
        )

    def draws(self, layer: Layer, work_bytes: int) -> Counter[int]:
        """None: no stored bits."""
        return Counter()


WORKINGS.register(operators.DENSE_STREAM8, DenseStream8())
