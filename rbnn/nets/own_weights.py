"""Layers with 8-bit weights of one task: ``layer(x)``. See :mod:`rbnn.spec.own_weights`.

What is trained is a latent kernel of floats. It is quantized symmetrically, filter by filter, so
that the largest weight of each is 127; gradients pass the rounding unchanged. A batch norm follows,
so that no scale is needed: the layers compute with the integers themselves.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from rbnn.nets.framework import lq, tf
from rbnn.nets.topology import Layer
from rbnn.spec.operator import LARGEST_OWN_WEIGHT
from rbnn.spec.own_weights import stem_shift

FIRST_SPREAD = 0.3
"""Standard deviation of a latent kernel's first values: the usual learning rates move it by a few
percent a step."""
SMALLEST_STEP = 1e-12


def round_half_up(values: tf.Tensor) -> tf.Tensor:
    """To the nearest integers, halves up; gradients pass unchanged."""

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def rounded(x: tf.Tensor) -> Any:
        return tf.floor(x + 0.5), lambda upstream: upstream

    return rounded(values)


class OwnWeights(tf.keras.layers.Layer):  # type: ignore[misc]
    """What the layers have in common.

    Args:
        shape: of the kernel, outputs last.
        seed: of its first values.
        kwargs: arguments of a Keras layer.
    """

    def __init__(self, shape: tuple[int, ...], seed: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.shape = shape
        self.seed = seed

    def build(self, input_shape: Any) -> None:
        """Create the latent kernel."""
        first = tf.keras.initializers.RandomNormal(stddev=FIRST_SPREAD, seed=self.seed)
        self.latent = self.add_weight("latent", self.shape, initializer=first)
        super().build(input_shape)

    def steps(self) -> tf.Tensor:
        """What one unit of the weights is worth in the latent kernel: (filters,) float32."""
        latent = tf.stop_gradient(tf.convert_to_tensor(self.latent))
        largest = tf.reduce_max(tf.abs(latent), axis=list(range(len(self.shape) - 1)))
        return tf.maximum(largest / LARGEST_OWN_WEIGHT, SMALLEST_STEP)

    def weights8(self) -> tf.Tensor:
        """The weights, integers of -127 to 127 as float32, in the kernel's shape."""
        return round_half_up(self.latent / self.steps())

    def read(self) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float32]]:
        """Weights and steps."""
        return self.weights8().numpy().astype(np.int8), self.steps().numpy()

    def write(self, weights: npt.NDArray[np.int8], steps: npt.NDArray[np.float32]) -> None:
        """Set what :meth:`read` gave, up to the rounding of the latent kernel."""
        self.latent.assign(weights.astype(np.float32) * steps)

    def get_config(self) -> dict[str, Any]:
        """Arguments of the constructor."""
        return {**super().get_config(), "shape": self.shape, "seed": self.seed}


@lq.utils.register_keras_custom_object
class OwnStem(OwnWeights):
    """The convolution of an 8-bit stem, whose sums are shifted as the device's.

    Args:
        stride: in both directions.
        border: zeros added on each side.
        kwargs: further arguments of :class:`OwnWeights`.

    Input shape: (batch, height, width, channels), integers of -255 to 255. Output shape: (batch,
    height', width', filters), integers.
    """

    def __init__(self, stride: int, border: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.stride = stride
        self.border = border

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Convolve and shift; float32 holds all sums exactly."""
        sides = [self.border, self.border]
        padded = tf.pad(inputs, [[0, 0], sides, sides, [0, 0]])
        sums = tf.nn.conv2d(padded, self.weights8(), self.stride, "VALID")
        shift = stem_shift(int(np.prod(self.shape[:-1])))
        return round_half_up(sums / float(1 << shift)) if shift else sums

    def get_config(self) -> dict[str, Any]:
        """Arguments of the constructor."""
        return {**super().get_config(), "stride": self.stride, "border": self.border}


@lq.utils.register_keras_custom_object
class OwnDense(OwnWeights):
    """A dense layer.

    Args:
        input_quantizer: takes the signs of what the layer reads; None where it reads a stream.
        kwargs: further arguments of :class:`OwnWeights`.

    Input shape: (batch, inputs). Output shape: (batch, outputs).
    """

    def __init__(self, input_quantizer: str | None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.input_quantizer = input_quantizer
        self._quantize = lq.quantizers.get(input_quantizer)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Multiply."""
        values = inputs if self._quantize is None else self._quantize(inputs)
        return values @ self.weights8()

    def get_config(self) -> dict[str, Any]:
        """Arguments of the constructor."""
        return {**super().get_config(), "input_quantizer": self.input_quantizer}


def own_stem(layer: Layer, input_quantizer: str | None, seed: int, name: str) -> OwnWeights:
    """The convolution of ``layer``, built."""
    made = OwnStem(layer.stride, layer.pad, shape=layer.kernel_shape, seed=seed, name=name)
    made.build((None, *layer.in_shape))
    return made


def own_dense(layer: Layer, input_quantizer: str | None, seed: int, name: str) -> OwnWeights:
    """A dense layer over all of its input, built."""
    made = OwnDense(input_quantizer, shape=layer.kernel_shape, seed=seed, name=name)
    made.build((None, layer.kernel_shape[0]))
    return made
