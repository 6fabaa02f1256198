"""Logits over the stream; ``rbnn_dense_stream``."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import numpy.typing as npt

from rbnn.nets.topology import Layer
from rbnn.operators.windows import Sums, signs
from rbnn.operators.workings import WORKINGS, Kernel, Turns, Workings, tile_bytes
from rbnn.spec import operators
from rbnn.spec.packing import FILTERS_PER_TILE, WORD_BYTES, words_per_row


class DenseStream(Workings):
    """See :class:`Workings`."""

    def compute(self, layer: Layer, given: npt.NDArray[Any], kernel: Kernel | None) -> Sums:
        """Inner products, with float64: they need 31 bits."""
        assert kernel is not None
        flat = given.reshape(len(given), -1).astype(np.float64)
        return np.asarray(flat @ signs(kernel).astype(np.float64)).astype(np.int64)

    def least_work_bytes(self, layer: Layer) -> int:
        """One tile."""
        return tile_bytes(layer)

    def count_turns(self, layer: Layer, work_bytes: int) -> Turns:
        """Tile by tile, class by class, word by word."""
        words = words_per_row(layer.filter_bits)
        filters = layer.out_shape[2]
        return Counter(
            {
                "dense_stream tile": -(-filters // FILTERS_PER_TILE),
                "dense_stream class": filters,
                "dense_stream word": filters * words,
            }
        )

    def draws(self, layer: Layer, work_bytes: int) -> Counter[int]:
        """Whole tiles, then the rows of the classes that are left."""
        tiles, rest = divmod(layer.out_shape[2], FILTERS_PER_TILE)
        row = words_per_row(layer.filter_bits) * WORD_BYTES
        sizes: Counter[int] = Counter({tile_bytes(layer): tiles})
        sizes[rest * row] += bool(rest)
        return sizes


WORKINGS.register(operators.DENSE_STREAM, DenseStream())
