"""Convolution of bits in Keras."""

from __future__ import annotations

from typing import Any

from rbnn.nets.keras_operator import KERAS, KerasOperator, SharedLayer, convolution
from rbnn.nets.topology import Layer
from rbnn.spec import operators


def shared(layer: Layer, halved: bool, options: dict[str, Any]) -> SharedLayer:
    """Padded with +1."""
    return convolution(layer, 1.0, halved, options)


KERAS.register(operators.CONV, KerasOperator(shared=shared))
