"""The float networks that become int8: :mod:`rbnn.peers.shapes` in Keras.

Their input is -1 to 1, so that the int8 input is the pixel minus 128. Batch norm follows every
convolution of the bodies except those in shortcuts, as published; the converter folds it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from rbnn.nets.framework import tf
from rbnn.peers.shapes import DS_CNN_BLOCKS, DS_CNN_WINDOW, PeerShape
from rbnn.tasks.dataset import Images

MOMENTUM = 0.9
WEIGHT_DECAY = 1e-4
"""L2 factor of the convolutions, as the reference networks of MLPerf Tiny have it."""

Network = Any
"""A Keras 2 model from (batch, height, width, channels), -1 to 1, to the logits of each head."""
Floats = npt.NDArray[np.float32]


def normalise(images: Images, channels: int) -> Floats:
    """Pixels as a network takes them; grey ones are repeated where it has more channels."""
    values = np.asarray(images, np.float32) / np.float32(127.5) - np.float32(1)
    return np.repeat(values, channels // values.shape[3], axis=3)


def build(shape: PeerShape, seed: int, halved: bool = False) -> Network:
    """A network with first values that follow from ``seed``.

    Args:
        shape: of the network.
        seed: of its first values.
        halved: compute the body in bfloat16, for training; all weights stay float32.
    """
    layers = tf.keras.layers
    image = layers.Input((*shape.sides, shape.channels))
    make = _Maker(seed)
    body = _resnet if shape.family == "ResNet-8" else _ds_cnn
    with _precision("mixed_bfloat16" if halved else "float32"):
        features = body(make, shape, image)
    features = layers.GlobalAveragePooling2D(dtype="float32")(features)
    heads = [
        layers.Dense(classes, kernel_initializer=make.values(), name=f"head_{number}")(features)
        for number, classes in enumerate(shape.heads)
    ]
    return tf.keras.Model(image, heads)


@contextmanager
def _precision(policy: str) -> Iterator[None]:
    """Keras' policy for the layers that are made inside the ``with`` block."""
    precision = tf.keras.mixed_precision
    before = precision.global_policy()
    precision.set_global_policy(policy)
    try:
        yield
    finally:
        precision.set_global_policy(before)


def norms(network: Network) -> list[Any]:
    """Its batch norms."""
    kind = tf.keras.layers.BatchNormalization
    return [layer for layer in network.layers if isinstance(layer, kind)]


class _Maker:
    """Makes layers, each with first values of its own that are always the same."""

    def __init__(self, seed: int) -> None:
        self._seed = 1000 * seed

    def values(self) -> Any:
        """The next initialiser: Keras' usual one. (Larger values make the first epochs slow.)"""
        self._seed += 1
        return tf.keras.initializers.GlorotUniform(seed=self._seed)

    def _own(self) -> dict[str, Any]:
        return {
            "initializer": self.values(),
            "regularizer": tf.keras.regularizers.L2(WEIGHT_DECAY),
        }

    def convolve(self, values: Any, filters: int, window: Any, stride: int, norm: bool) -> Any:
        """A convolution, with or without batch norm."""
        own = {f"kernel_{name}": value for name, value in self._own().items()}
        layers = tf.keras.layers
        made = layers.Conv2D(filters, window, stride, "same", use_bias=not norm, **own)(values)
        return layers.BatchNormalization(momentum=MOMENTUM)(made) if norm else made

    def convolve_depthwise(self, values: Any) -> Any:
        """A depthwise 3x3 convolution and its batch norm."""
        own = {f"depthwise_{name}": value for name, value in self._own().items()}
        layers = tf.keras.layers
        made = layers.DepthwiseConv2D(3, 1, "same", use_bias=False, **own)(values)
        return layers.BatchNormalization(momentum=MOMENTUM)(made)


def _resnet(make: _Maker, shape: PeerShape, values: Any) -> Any:
    layers = tf.keras.layers
    values = layers.ReLU()(make.convolve(values, shape.filters[0], 3, 1, True))
    for stage, filters in enumerate(shape.filters):
        stride = 2 if stage else 1
        inner = layers.ReLU()(make.convolve(values, filters, 3, stride, True))
        inner = make.convolve(inner, filters, 3, 1, True)
        shortcut = make.convolve(values, filters, 1, stride, False) if stage else values
        values = layers.ReLU()(layers.Add()([shortcut, inner]))
    return values


def _ds_cnn(make: _Maker, shape: PeerShape, values: Any) -> Any:
    layers = tf.keras.layers
    (filters,) = shape.filters
    values = layers.ReLU()(make.convolve(values, filters, DS_CNN_WINDOW, 2, True))
    for _ in range(DS_CNN_BLOCKS):
        values = layers.ReLU()(make.convolve_depthwise(values))
        values = layers.ReLU()(make.convolve(values, filters, 1, 1, True))
    return values
