"""8-bit convolution of the image in Keras."""

from __future__ import annotations

from rbnn.nets.keras_operator import KERAS, KerasOperator
from rbnn.nets.own_weights import own_stem
from rbnn.spec import operators

KERAS.register(operators.STEM8, KerasOperator(weighted=own_stem))
