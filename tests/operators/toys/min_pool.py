"""The toy operator ``min_pool``: what ``docs/adding-an-operator.md`` adds, step by step."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import numpy.typing as npt

from rbnn.nets.topology import Layer
from rbnn.operators.windows import layer_windows
from rbnn.operators.workings import Kernel, Turns, Workings
from rbnn.spec.layout import MAX_KERNEL
from rbnn.spec.operators import Operator, Reads, Writes
from rbnn.spec.packing import WORD_BITS, Bits

MIN_POOL = Operator(
    number=200,
    name="min_pool",
    title="min pool",
    doc="Minimum (logical and) of bits over a window.",
    kernel="rbnn_min_pool",
    reads=Reads.BITS,
    writes=Writes.BITS,
    largest_window=MAX_KERNEL,
)


class MinPool(Workings):
    """See :class:`Workings`."""

    def compute(self, layer: Layer, given: npt.NDArray[Any], kernel: Kernel | None) -> Bits:
        """Logical and of each window."""
        return np.asarray(layer_windows(given, layer).all(axis=3), np.bool_)

    def count_turns(self, layer: Layer, work_bytes: int) -> Turns:
        """Position by position, word by word, tap by tap."""
        height, width, channels = layer.out_shape
        words = height * width * channels // WORD_BITS
        return Counter(
            {
                "min_pool position": height * width,
                "min_pool word": words,
                "min_pool tap": words * layer.kernel**2,
            }
        )
