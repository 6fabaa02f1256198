"""Mean of the stream in Keras."""

from __future__ import annotations

from rbnn.nets.framework import tf
from rbnn.nets.keras_operator import KERAS, KerasOperator
from rbnn.nets.stream_layers import StreamAverage
from rbnn.nets.topology import Layer
from rbnn.spec import operators


def own(layer: Layer, name: str) -> tf.keras.layers.Layer:
    """Windows that do not overlap."""
    return StreamAverage(layer.kernel, layer.stride, name=name)


KERAS.register(operators.AVERAGE_POOL, KerasOperator(own=own))
