"""Working memory of the device's kernels, as their ``*_work_bytes`` functions give it.

Each operator knows its own (:mod:`rbnn.operators`); the tests compare it with the C function.
"""

from __future__ import annotations

from collections.abc import Sequence

from rbnn.nets.topology import Layer
from rbnn.operators.workings import WORKINGS


def least_work_bytes(layer: Layer) -> int:
    """Bytes without which the layer's kernel does not run; ``rbnn_layer_work_bytes``."""
    return WORKINGS[layer.op].least_work_bytes(layer)


def most_work_bytes(layer: Layer) -> int:
    """Bytes beyond which the layer's kernel gains nothing."""
    return WORKINGS[layer.op].most_work_bytes(layer)


def work_steps(layer: Layer) -> Sequence[int]:
    """Sizes, besides the least, at which the layer's kernel makes fewer passes."""
    return WORKINGS[layer.op].work_steps(layer)
