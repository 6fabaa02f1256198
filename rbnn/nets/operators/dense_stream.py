"""Logits over the stream in Keras."""

from __future__ import annotations

from rbnn.nets.keras_operator import KERAS, KerasOperator, dense
from rbnn.spec import operators

KERAS.register(operators.DENSE_STREAM, KerasOperator(shared=dense))
