"""Logits from bits with 8-bit weights; ``rbnn_dense8``."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import numpy.typing as npt

from rbnn.nets.topology import Layer
from rbnn.operators.windows import Sums, signs
from rbnn.operators.workings import WORKINGS, Kernel, Turns, Workings
from rbnn.spec import operators
from rbnn.spec.packing import WORD_BITS, WORD_BYTES

BLOCK_WORDS = 8
"""Of input bits, turned into values at once; ``dense8.c``."""
VALUE_WORDS = 16


class Dense8(Workings):
    """See :class:`Workings`."""

    def compute(self, layer: Layer, given: npt.NDArray[Any], kernel: Kernel | None) -> Sums:
        """Inner products of +-1 values and weights; float32 holds them."""
        assert kernel is not None
        flat = given.reshape(len(given), -1)
        return np.asarray(signs(flat) @ kernel.astype(np.float32)).astype(np.int64)

    def least_work_bytes(self, layer: Layer) -> int:
        """A product for each class, and a block of values."""
        words = layer.filter_weights // WORD_BITS
        return (layer.out_shape[2] + min(words, BLOCK_WORDS) * VALUE_WORDS) * WORD_BYTES

    def count_turns(self, layer: Layer, work_bytes: int) -> Turns:
        """Block by block: bits to values, then class by class."""
        words, filters = layer.filter_weights // WORD_BITS, layer.out_shape[2]
        blocks = -(-words // BLOCK_WORDS)
        return Counter(
            {
                "dense8 block": blocks,
                "dense8 spread": words,
                "dense8 class": filters,
                "dense8 class block": filters * blocks,
                "dense8 word": filters * words,
            }
        )

    def draws(self, layer: Layer, work_bytes: int) -> Counter[int]:
        """None: no stored bits."""
        return Counter()


WORKINGS.register(operators.DENSE8, Dense8())
