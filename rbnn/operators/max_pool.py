"""Maximum of bits over windows; ``rbnn_max_pool``."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import numpy.typing as npt

from rbnn.nets.topology import Layer
from rbnn.operators.windows import layer_windows
from rbnn.operators.workings import WORKINGS, Kernel, Turns, Workings
from rbnn.spec import operators
from rbnn.spec.packing import WORD_BITS, Bits


class MaxPool(Workings):
    """See :class:`Workings`."""

    def compute(self, layer: Layer, given: npt.NDArray[Any], kernel: Kernel | None) -> Bits:
        """Logical or of each window."""
        return np.asarray(layer_windows(given, layer).any(axis=3), np.bool_)

    def count_turns(self, layer: Layer, work_bytes: int) -> Turns:
        """A window of 2x2 has its own loop."""
        height, width, channels = layer.out_shape
        words = height * width * channels // WORD_BITS
        turns: Turns = Counter({"max_pool row": height})
        if layer.kernel == 2:
            turns["max_pool position 2x2"] = height * width
            turns["max_pool word 2x2"] = words
            return turns
        turns["max_pool position"] = height * width
        turns["max_pool word"] = words
        turns["max_pool line"] = words * layer.kernel
        turns["max_pool tap"] = words * layer.kernel**2
        return turns


WORKINGS.register(operators.MAX_POOL, MaxPool())
