"""Maximum of bits in Keras."""

from __future__ import annotations

from rbnn.nets.framework import tf
from rbnn.nets.keras_operator import KERAS, KerasOperator
from rbnn.nets.topology import Layer
from rbnn.spec import operators


def own(layer: Layer, name: str) -> tf.keras.layers.Layer:
    """The maximum of values has the maximum of their signs."""
    return tf.keras.layers.MaxPool2D(layer.kernel, layer.stride, name=name)


KERAS.register(operators.MAX_POOL, KerasOperator(own=own, is_increasing=True))
