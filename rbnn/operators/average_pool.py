"""Mean of the stream over windows; ``rbnn_average_pool``."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import numpy.typing as npt

from rbnn.nets.topology import Layer
from rbnn.operators.windows import Stream, layer_windows
from rbnn.operators.workings import WORKINGS, Kernel, Turns, Workings
from rbnn.spec import operators


class AveragePool(Workings):
    """See :class:`Workings`."""

    def compute(self, layer: Layer, given: npt.NDArray[Any], kernel: Kernel | None) -> Stream:
        """Mean of each window, rounded half up."""
        count = layer.kernel**2
        sums = layer_windows(given, layer).sum(axis=3, dtype=np.int64)
        return np.asarray((sums + count // 2) // count, np.int16)

    def count_turns(self, layer: Layer, work_bytes: int) -> Turns:
        """A window of 2x2 has its own loop."""
        height, width, channels = layer.out_shape
        values = height * width * channels
        turns: Turns = Counter({"average_pool position": height * width})
        if layer.kernel == 2:
            turns["average_pool value 2x2"] = values
        else:
            turns["average_pool value"] = values
            turns["average_pool row"] = values * layer.kernel
            turns["average_pool tap"] = values * layer.kernel**2
        return turns


WORKINGS.register(operators.AVERAGE_POOL, AveragePool())
