"""Logits from bits in Keras."""

from __future__ import annotations

from rbnn.nets.keras_operator import KERAS, KerasOperator, dense
from rbnn.spec import operators

KERAS.register(operators.DENSE, KerasOperator(shared=dense))
