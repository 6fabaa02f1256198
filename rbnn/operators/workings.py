"""The interface of an operator's module: what it computes, memory and loops of its kernel.

A module defines a class derived from :class:`Workings` and registers one object of it in
:data:`WORKINGS`. Working memory and loops mirror the C: the tests compare the memory with the
kernel's ``*_work_bytes``, and the loops' costs with instructions counted on the emulated cores.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy.typing as npt

from rbnn.nets.topology import Layer
from rbnn.spec.layout import Activation, Sign, Stage
from rbnn.spec.packing import FILTERS_PER_TILE, WORD_BYTES, words_per_row
from rbnn.spec.per_operator import PerOperator

UNIT_WORDS = 16
"""Words of a unit of packed weights, one block of the key stream."""

Kernel = npt.NDArray[Any]
"""A layer's weights: bits, or int8 for an operator with weights of a task's own."""
Turns = Counter[str]
"""How often a kernel runs through each of its loops; the names are the keys of their costs."""


class Workings(ABC):
    """What the host knows of one operator. Layers are those of a container, channels padded."""

    @abstractmethod
    def compute(
        self, layer: Layer, given: npt.NDArray[Any], kernel: Kernel | None
    ) -> npt.NDArray[Any]:
        """The layer's exact result for a batch.

        Args:
            layer: its shape.
            given: its input, (n, height, width, channels): an image's integers as float32, bits as
                bool, or a stream as int16.
            kernel: Keras' order, True for +1, or int8; None for an operator without weights.

        Returns:
            For an operator with a stage, its sums, (n, height', width', filters) int64; for one
            that gives logits, its inner products, (n, classes) int64; otherwise bits or a stream in
            the form of ``given``.
        """

    @abstractmethod
    def count_turns(self, layer: Layer, work_bytes: int) -> Turns:
        """Turns of the kernel's loops in one run, apart from reconfiguration.

        Args:
            layer: its shape.
            work_bytes: working memory, :meth:`least_work_bytes` or more.
        """

    def least_work_bytes(self, layer: Layer) -> int:
        """Working memory without which the kernel does not run; its ``*_work_bytes``."""
        return 0

    def most_work_bytes(self, layer: Layer) -> int:
        """Working memory beyond which the kernel gains nothing."""
        return self.least_work_bytes(layer)

    def work_steps(self, layer: Layer) -> Sequence[int]:
        """Sizes of working memory, besides the least, at which the kernel gets faster."""
        return ()

    def draws(self, layer: Layer, work_bytes: int) -> Counter[int]:
        """How many calls for reconfigured weights ask for how many bytes; here tile by tile."""
        tiles = -(-layer.out_shape[2] // FILTERS_PER_TILE)
        return Counter({tile_bytes(layer): tiles})


WORKINGS: PerOperator[Workings] = PerOperator("rbnn.operators")


def tile_bytes(layer: Layer) -> int:
    """Bytes of the packed weights of 16 filters."""
    return words_per_row(layer.filter_bits) * WORD_BYTES * FILTERS_PER_TILE


def count_stage(layer: Layer, calls: int, positions: int) -> Turns:
    """Turns of the stage: ``calls`` of it over ``positions`` of 16 filters in all."""
    if layer.stage is Stage.THRESHOLD:
        kind = "signs"
    elif layer.activation is Activation.RPRELU:
        kind = "rprelu"
    elif layer.sign is Sign.THRESHOLDS:
        kind = "rsign"
    else:
        kind = "residual"
    name = layer.op.name
    return Counter({f"{name} {kind} call": calls, f"{name} {kind}": positions})
