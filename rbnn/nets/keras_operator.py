"""How Keras computes an operator: the registry that the network builder asks.

An operator's module in :mod:`rbnn.nets.operators` registers its :class:`KerasOperator`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rbnn.nets.framework import tf
from rbnn.nets.layers import ReconfigurableConv2D, ReconfigurableDense
from rbnn.nets.own_weights import OwnWeights
from rbnn.nets.topology import Layer
from rbnn.spec.per_operator import PerOperator

SharedLayer = ReconfigurableConv2D | ReconfigurableDense


@dataclass(frozen=True)
class KerasOperator:
    """The Keras layers of one operator.

    Args:
        shared: for an operator with stored bits. Makes the layer that all tasks share, built, from
            the row of the layer table, whether to compute with bfloat16 while training, and further
            options of ``rbnn.nets.layers.Reconfigurable``.
        own: for an operator without weights. Makes each task's layer from the row of the layer
            table and a name. Bits go in and out as values whose signs they are.
        weighted: for an operator with 8-bit weights. Makes each task's layer, built, from the row
            of the layer table, how it takes its input's signs (None where it does not), the seed of
            its first values and a name.
        is_increasing: an output bit never falls when an input bit rises, and only signs matter: a
            batch norm before it may equally come after it, where there are fewer values.
    """

    shared: Callable[[Layer, bool, dict[str, Any]], SharedLayer] | None = None
    own: Callable[[Layer, str], tf.keras.layers.Layer] | None = None
    weighted: Callable[[Layer, str | None, int, str], OwnWeights] | None = None
    is_increasing: bool = False


KERAS: PerOperator[KerasOperator] = PerOperator("rbnn.nets.operators")


def convolution(
    layer: Layer, border_value: float, halved: bool, options: dict[str, Any]
) -> ReconfigurableConv2D:
    """A convolution with the window, stride and padding of ``layer``, built."""
    made = ReconfigurableConv2D(
        layer.out_shape[2],
        layer.kernel,
        strides=layer.stride,
        border=layer.pad,
        border_value=border_value,
        halved=halved,
        **options,
    )
    made.build((None, *layer.in_shape))
    return made


def dense(layer: Layer, halved: bool, options: dict[str, Any]) -> ReconfigurableDense:
    """A dense layer over all of its input, built; ``halved`` has no effect."""
    made = ReconfigurableDense(layer.out_shape[2], **options)
    made.build((None, layer.kernel_shape[0]))
    return made
