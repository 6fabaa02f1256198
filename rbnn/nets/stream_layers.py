"""The residual stream in Keras: float tensors that hold the values of the device's Q8.8 integers.

Each layer computes what ``rbnn.spec.layout`` says of its stage or operator, in multiples of 1/256
and within int16; gradients pass the rounding unchanged (straight-through) and stop where a value is
clipped.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rbnn.nets.framework import lq, tf
from rbnn.spec.layout import SLOPE_FRACTION_BITS, STREAM_FRACTION_BITS

STREAM_ONE = float(1 << STREAM_FRACTION_BITS)
SLOPE_ONE = float(1 << SLOPE_FRACTION_BITS)
INT16_MIN = -float(1 << 15)
INT16_MAX = float((1 << 15) - 1)
FIRST_SLOPE = 0.25


def fixed_floor(values: tf.Tensor, one: float = STREAM_ONE) -> tf.Tensor:
    """The largest multiples of ``1 / one`` that are no larger; their gradient is that of values."""

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def floor(x: tf.Tensor) -> Any:
        return tf.floor(x * one) / one, lambda upstream: upstream

    return floor(values)


def fixed_round(values: tf.Tensor, one: float = STREAM_ONE) -> tf.Tensor:
    """The nearest multiples of ``1 / one``, halves up; their gradient is that of ``values``."""
    return fixed_floor(values + 0.5 / one, one)


def saturate(values: tf.Tensor, one: float = STREAM_ONE) -> tf.Tensor:
    """Values clipped to what int16 holds in units of ``1 / one``."""
    return tf.clip_by_value(values, INT16_MIN / one, INT16_MAX / one)


@lq.utils.register_keras_custom_object
class StreamSum(tf.keras.layers.Layer):  # type: ignore[misc]
    """Normalised sums added to the shortcut; a shortcut with fewer channels is repeated.

    Input: the sums (..., channels), or a list of the sums and the shortcut's stream. Output shape:
    that of the sums.
    """

    def call(self, inputs: tf.Tensor | Sequence[tf.Tensor]) -> tf.Tensor:
        """Round, repeat, add, saturate."""
        if not isinstance(inputs, list | tuple):
            return saturate(fixed_round(inputs))
        sums, shortcut = inputs
        repeats = sums.shape[-1] // shortcut.shape[-1]
        if repeats > 1:
            shortcut = tf.concat([shortcut] * repeats, axis=-1)
        return saturate(fixed_round(sums) + shortcut)


@lq.utils.register_keras_custom_object
class StreamAverage(tf.keras.layers.Layer):  # type: ignore[misc]
    """Mean over windows that do not overlap.

    Args:
        window: side of the window in pixels.

    Input shape: (batch, height, width, channels). Output shape: sides divided by ``window``.
    """

    def __init__(self, window: int, **kwargs: Any) -> None:
        super().__init__(trainable=False, **kwargs)
        self.window = window

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Average and round."""
        means = tf.nn.avg_pool2d(inputs, self.window, self.window, "VALID")
        return fixed_round(means)

    def get_config(self) -> dict[str, Any]:
        """Window."""
        return {"name": self.name, "dtype": self.dtype, "window": self.window}


@lq.utils.register_keras_custom_object
class StreamRPReLU(tf.keras.layers.Layer):  # type: ignore[misc]
    """A leaky ReLU with learnt slope, moved by a learnt point and offset, channel by channel.

    Input shape: (..., channels). Output shape: the same.

    Source: Liu et al., "ReActNet", ECCV 2020, equation 5.
    """

    def build(self, input_shape: Any) -> None:
        """Create point, slope and offset: (channels,) float32 each."""
        shape = (input_shape[-1],)
        self.point = self.add_weight("point", shape, initializer="zeros")
        self.slope = self.add_weight(
            "slope", shape, initializer=tf.keras.initializers.Constant(FIRST_SLOPE)
        )
        self.offset = self.add_weight("offset", shape, initializer="zeros")
        super().build(input_shape)

    def values(self) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Point, slope and offset as the device holds them."""
        return (
            saturate(fixed_round(self.point)),
            saturate(fixed_round(self.slope, SLOPE_ONE), SLOPE_ONE),
            saturate(fixed_round(self.offset)),
        )

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Move, bend, move back."""
        point, slope, offset = self.values()
        moved = saturate(inputs - point)
        bent = tf.where(moved >= 0, moved, fixed_floor(slope * moved))
        return saturate(bent + offset)


@lq.utils.register_keras_custom_object
class StreamRSign(tf.keras.layers.Layer):  # type: ignore[misc]
    """What a sign with a learnt threshold per channel is taken of: ``stream - threshold``.

    Input shape: (..., channels). Output shape: the same.

    Source: Liu et al., "ReActNet", ECCV 2020, equation 4.
    """

    def build(self, input_shape: Any) -> None:
        """Create the thresholds: (channels,) float32."""
        self.threshold = self.add_weight("threshold", (input_shape[-1],), initializer="zeros")
        super().build(input_shape)

    def values(self) -> tf.Tensor:
        """Thresholds as the device holds them."""
        return saturate(fixed_round(self.threshold))

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Subtract the thresholds."""
        return inputs - self.values()
