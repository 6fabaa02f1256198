"""The Keras side of the toy operators."""

from __future__ import annotations

from rbnn.nets.framework import tf
from rbnn.nets.keras_operator import KerasOperator, dense
from rbnn.nets.topology import Layer


class MinPool2D(tf.keras.layers.MaxPool2D):  # type: ignore[misc]
    """Minimum over windows."""

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """The negated maximum of negated values."""
        return -super().call(-inputs)


def min_pool(layer: Layer, name: str) -> tf.keras.layers.Layer:
    """The minimum of values has the minimum of their signs."""
    return MinPool2D(layer.kernel, layer.stride, name=name)


MIN_POOL = KerasOperator(own=min_pool, is_increasing=True)
ROW_DENSE = KerasOperator(shared=dense)
