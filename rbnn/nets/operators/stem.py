"""Convolution of the 8-bit image in Keras."""

from __future__ import annotations

from typing import Any

from rbnn.nets.keras_operator import KERAS, KerasOperator, SharedLayer, convolution
from rbnn.nets.topology import Layer
from rbnn.spec import operators


def shared(layer: Layer, halved: bool, options: dict[str, Any]) -> SharedLayer:
    """Never halved: pixels have 8 bits and a sign, one more than bfloat16 holds."""
    return convolution(layer, 0.0, False, options)


KERAS.register(operators.STEM, KerasOperator(shared=shared))
