"""8-bit logits over the stream in Keras."""

from __future__ import annotations

from rbnn.nets.keras_operator import KERAS, KerasOperator
from rbnn.nets.own_weights import own_dense
from rbnn.spec import operators

KERAS.register(operators.DENSE_STREAM8, KerasOperator(weighted=own_dense))
