"""The residual stream in Keras: float tensors that hold the values of the device's Q8.8 integers.

Each layer computes what ``rbnn.spec.layout`` says of its stage or operator, in multiples of 1/256
and within int16; gradients pass rounding and clipping unchanged (straight-through). At inference
the values equal the device's exactly: a bit on the wrong side of its threshold flips others after
it, and in a network of residual sums that does not die out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from rbnn.nets.framework import lq, tf
from rbnn.nets.task_norm import TaskNorm
from rbnn.spec import operators
from rbnn.spec.layout import (
    LOGIT_FRACTION_BITS,
    MAX_SHIFT,
    SLOPE_FRACTION_BITS,
    STREAM_FRACTION_BITS,
)

STREAM_ONE = float(1 << STREAM_FRACTION_BITS)
SLOPE_ONE = float(1 << SLOPE_FRACTION_BITS)
INT16_MIN, INT16_MAX = float(operators.INT16_MIN), float(operators.INT16_MAX)
FIRST_SLOPE = 0.25
LOGIT_LIMIT = float(1 << (31 - LOGIT_FRACTION_BITS))


def fixed_floor(values: tf.Tensor, one: float = STREAM_ONE) -> tf.Tensor:
    """Round down to multiples of ``1 / one``; gradients pass unchanged."""

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def floor(x: tf.Tensor) -> Any:
        return tf.floor(x * one) / one, lambda upstream: upstream

    return floor(values)


def fixed_round(values: tf.Tensor, one: float = STREAM_ONE) -> tf.Tensor:
    """Round to the nearest multiples of ``1 / one``, halves up; gradients pass unchanged."""
    return fixed_floor(values + 0.5 / one, one)


def nearest(values: tf.Tensor) -> tf.Tensor:
    """Round to the nearest integers, halves to even; gradients pass unchanged."""

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def whole(x: tf.Tensor) -> Any:
        return tf.round(x), lambda upstream: upstream

    return whole(values)


def saturate(values: tf.Tensor, one: float = STREAM_ONE) -> tf.Tensor:
    """Clip to the range of int16 in units of ``1 / one``; gradients pass unchanged.

    A trained stream stays far from the limits, and a clip that stops gradients costs three passes.
    """

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def clip(x: tf.Tensor) -> Any:
        return tf.clip_by_value(x, INT16_MIN / one, INT16_MAX / one), lambda upstream: upstream

    return clip(values)


@lq.utils.register_keras_custom_object
class StreamNorm(TaskNorm):
    """Batch norm of a residual stage; at inference with the exporter's integer scale and bias.

    Args:
        unit: what one unit of the device's sum is worth in the sum of +-1 products.
        kwargs: arguments of ``TaskNorm``.

    Input shape: (..., channels), sums of +-1 products. Output shape: the same, in 256ths.

    Source: ``rbnn.export.fold``, whose ``fold_residual`` this repeats operation by operation.
    """

    def __init__(self, unit: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.unit = unit
        self._padding = PaddingSums()

    def build(self, input_shape: Any) -> None:
        """Create the batch norm's variables, and room for the padding sums."""
        super().build(input_shape)
        self._padding.sums = tf.Variable(tf.zeros(input_shape[-1], tf.float64), trainable=False)

    def set_padding_sums(self, sums: npt.NDArray[np.int64]) -> None:
        """Set what the device's padding channels add to the sums, (channels,); 0 by default."""
        self._padding.sums.assign(sums.astype(np.float64))

    def call(self, inputs: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        """Normalise and round."""
        if training:
            return fixed_round(super().call(inputs, training=True))
        scale, bias, shift = self.folded()
        sums = (nearest(tf.cast(inputs, tf.float64)) + self._padding.sums) / self.unit
        total = bias + fixed_floor(scale * sums / 2.0**shift, 1.0)
        return tf.cast(saturate(total / STREAM_ONE), inputs.dtype)

    def folded(self) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Integer scales, biases and their common shift, as float64."""
        gamma, beta, mean, variance = (
            tf.cast(value, tf.float64)
            for value in (self.gamma, self.beta, self.moving_mean, self.moving_variance)
        )
        factor = gamma / tf.sqrt(variance + self.epsilon)
        scale = factor * STREAM_ONE * self.unit
        bias = (beta - factor * (mean + self._padding.sums)) * STREAM_ONE
        shifts = tf.range(MAX_SHIFT + 1, dtype=tf.float64)
        largest = tf.round(tf.reduce_max(tf.abs(scale)) * 2.0**shifts)
        shift = tf.reduce_max(tf.where(largest <= INT16_MAX, shifts, 0.0))
        half = tf.where(shift > 0, tf.constant(0.5, tf.float64), 0.0)
        limited = tf.clip_by_value(tf.round(scale * 2.0**shift), INT16_MIN, INT16_MAX)
        return limited, tf.clip_by_value(tf.round(bias + half), INT16_MIN, INT16_MAX), shift

    def get_config(self) -> dict[str, Any]:
        """Everything except what depends on the keys."""
        return {**super().get_config(), "unit": self.unit}


@lq.utils.register_keras_custom_object
class StreamLogits(TaskNorm):
    """Batch norm of logits over the stream; at inference limited as the device's Q12.20 are.

    Input shape: (..., classes), inner products. Output shape: the same.
    """

    def call(self, inputs: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        """Normalise; limits leave training alone."""
        logits = super().call(inputs, training=training)
        return logits if training else tf.clip_by_value(logits, -LOGIT_LIMIT, LOGIT_LIMIT)


class PaddingSums:
    """Hides a layer's padding sums from Keras: they follow from the key and are not saved."""

    sums: tf.Variable


@lq.utils.register_keras_custom_object
class StreamSum(tf.keras.layers.Layer):  # type: ignore[misc]
    """Normalised, rounded sums added to the shortcut, which is repeated to match their channels.

    Input: the sums (..., channels), or a list of the sums and the shortcut's stream. Output shape:
    that of the sums.
    """

    def call(self, inputs: tf.Tensor | Sequence[tf.Tensor]) -> tf.Tensor:
        """Repeat, add, saturate."""
        if not isinstance(inputs, list | tuple):
            return saturate(inputs)
        sums, shortcut = inputs
        repeats = sums.shape[-1] // shortcut.shape[-1]
        if repeats > 1:
            shortcut = tf.concat([shortcut] * repeats, axis=-1)
        return saturate(sums + shortcut)


@lq.utils.register_keras_custom_object
class StreamAverage(tf.keras.layers.Layer):  # type: ignore[misc]
    """Mean over windows that do not overlap.

    Args:
        window: side of the window in pixels.
        stride: pixels from one window to the next.

    Input shape: (batch, height, width, channels). Output shape: (batch, ..., channels).
    """

    def __init__(self, window: int, stride: int, **kwargs: Any) -> None:
        super().__init__(trainable=False, **kwargs)
        self.window = window
        self.stride = stride

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Average and round."""
        means = tf.nn.avg_pool2d(inputs, self.window, self.stride, "VALID")
        return fixed_round(means)

    def get_config(self) -> dict[str, Any]:
        """Window and stride."""
        sizes = {"window": self.window, "stride": self.stride}
        return {"name": self.name, "dtype": self.dtype, **sizes}


@lq.utils.register_keras_custom_object
class StreamRPReLU(tf.keras.layers.Layer):  # type: ignore[misc]
    """A leaky ReLU with learnt slope, shifted by a learnt point and offset, channel by channel.

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

    def call(self, inputs: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        """Subtract the point, apply the slope, add the offset."""
        point, slope, offset = self.values()
        moved = saturate(inputs - point)
        # The product has 30 bits; while training, a unit more or less does not matter.
        wide = tf.float32 if training else tf.float64
        product = tf.cast(slope, wide) * tf.cast(moved, wide)
        bent = tf.where(moved >= 0, moved, tf.cast(fixed_floor(product), tf.float32))
        return saturate(bent + offset)


@lq.utils.register_keras_custom_object
class StreamRSign(tf.keras.layers.Layer):  # type: ignore[misc]
    """``stream - threshold``, whose sign is the bit; one learnt threshold per channel.

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
