"""How much larger a model's streams may be on the device, so that rounding them matters less.

Signs and shortcuts of a stream do not change if all of it is multiplied by a positive number, and
what reads its values divides by it again. The device rounds a stream to 1/256 and holds up to 128;
the streams of trained models are a few units large.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rbnn.nets.framework import tf
from rbnn.spec.layout import STREAM_FRACTION_BITS
from rbnn.spec.operator import LARGEST_OWN_WEIGHT
from rbnn.spec.operators import INT16_MAX
from rbnn.train.imported.nodes import Floats, Node

MARGIN = 2.0
"""Of the largest value among the samples to what a stream holds."""
MOST = 128
BATCH = 125
_HOLDS = INT16_MAX / (1 << STREAM_FRACTION_BITS)
_SUM_HOLDS = (1 << 31) / (1 << STREAM_FRACTION_BITS)


def magnification(model: Any, last: Node, samples: Floats) -> int:
    """A power of two by which all streams are multiplied; 1 if there are none.

    Args:
        model: of Keras.
        last: its dense layer on the device.
        samples: what the model takes, (n, height, width, channels).
    """
    nodes = _all(last)
    streams = [
        tensor
        for node in nodes
        if node.wants_stream or node.shortcut is not None
        for tensor in node.tensors
    ]
    if not streams:
        return 1
    look = tf.keras.Model(model.input, streams)
    values = [
        float(np.abs(found).max())
        for start in range(0, len(samples), BATCH)
        for found in tf.nest.flatten(look(samples[start : start + BATCH], training=False))
    ]
    shifts = [
        float(np.abs(node.of_sum.shift).max())
        for node in nodes
        if node.of_sum is not None and node is not last
    ]
    largest = max(*values, *shifts, 1e-6)
    most = _HOLDS / MARGIN / largest
    if not last.wants_bits:  # it sums the stream, in 32 bits
        assert last.weights is not None
        unit = 1 if last.is_binary else LARGEST_OWN_WEIGHT
        most = min(most, _SUM_HOLDS / MARGIN / (last.weights.shape[0] * unit * largest))
    return int(2 ** np.clip(np.floor(np.log2(most)), 0, np.log2(MOST)))


def _all(last: Node) -> list[Node]:
    """All layers that lead to the last one."""
    found: list[Node] = []
    ahead = [last]
    while ahead:
        node = ahead.pop()
        if node not in found:
            found.append(node)
            ahead += [one for one in (node.source, node.shortcut) if one is not None]
    return found
