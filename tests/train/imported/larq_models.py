"""Larq models as a user might have trained them, with random values, and a task for them."""

from __future__ import annotations

from typing import Any

import numpy as np

from rbnn.nets.framework import lq, tf
from rbnn.tasks import Split, TaskData

layers = tf.keras.layers
BINARY = {
    "input_quantizer": "ste_sign",
    "kernel_quantizer": "ste_sign",
    "kernel_constraint": "weight_clip",
    "use_bias": False,
}
FIRST = {**BINARY, "input_quantizer": None}


def make_task(channels: int = 3, classes: int = 5, count: int = 120, side: int = 32) -> TaskData:
    """Smooth random pictures."""
    random = np.random.default_rng(1)

    def split(size: int) -> Split:
        shape = (size, side // 4, side // 4, channels)
        coarse = random.integers(0, 256, shape).repeat(4, 1).repeat(4, 2)
        fine = coarse + random.integers(-20, 21, coarse.shape)
        images = np.clip(fine, 0, 255).astype(np.uint8)
        return Split(images, random.integers(0, classes, size).astype(np.int64))

    return TaskData(
        name="mine",
        labels=tuple(f"class{number}" for number in range(classes)),
        train=split(40),
        test=split(count),
        source="mine",
        origin="made for tests",
        kind="image",
    )


def conv(filters: int, kernel: int = 3, **options: Any) -> Any:
    """A binary convolution."""
    return lq.layers.QuantConv2D(filters, kernel, **{**BINARY, **options})


def scatter(model: Any, falling: bool = True) -> Any:
    """Values that training might leave: batch norms centred on what reaches them.

    Args:
        model: any.
        falling: whether half of the gammas are negative.
    """
    random = np.random.default_rng(2)
    for layer in model.layers:
        values = layer.get_weights()
        if type(layer).__name__ == "BatchNormalization":
            continue
        layer.set_weights([random.normal(0, 0.5, one.shape) for one in values])
    task = make_task(model.input_shape[3], side=model.input_shape[1])
    pictures = task.train.images.astype(np.float32)
    if not any(type(layer).__name__ == "Rescaling" for layer in model.layers):
        pictures = pictures / 127.5 - 1
    for layer in model.layers:
        if type(layer).__name__ != "BatchNormalization":
            continue
        reached = np.asarray(tf.keras.Model(model.input, layer.input)(pictures))
        axes = tuple(range(reached.ndim - 1))
        size = reached.shape[-1]
        gamma = random.uniform(0.5, 1.5, size)
        if falling:
            gamma *= random.choice([-1, 1], size)
        beta = random.normal(0, 0.3, size)
        spread = reached.std(axes) + 1e-3
        mean = reached.mean(axes) + random.normal(0, 0.3, size) * spread
        kept = ([gamma] if layer.scale else []) + ([beta] if layer.center else [])
        layer.set_weights([*kept, mean, spread**2])
    return model


def tutorial(side: int = 32) -> Any:
    """The stack of Larq's tutorial: valid convolutions, pools in front of batch norms, two dense
    layers."""
    options = {"scale": False}
    model = tf.keras.Sequential(
        [
            tf.keras.Input((side, side, 1)),
            lq.layers.QuantConv2D(32, 3, **FIRST),
            layers.MaxPooling2D(2),
            layers.BatchNormalization(**options),
            conv(64),
            layers.MaxPooling2D(2),
            layers.BatchNormalization(**options),
            conv(64),
            layers.MaxPooling2D(2),
            layers.Dropout(0.2),
            layers.BatchNormalization(**options),
            layers.Flatten(),
            lq.layers.QuantDense(64, **BINARY),
            layers.BatchNormalization(**options),
            lq.layers.QuantDense(5, **BINARY),
            layers.BatchNormalization(),
            layers.Activation("softmax"),
        ]
    )
    return scatter(model)


def padded() -> Any:
    """All ways of padding, pools behind batch norms, biases, gammas of both signs, no last norm."""
    picture = x = tf.keras.Input((32, 32, 3))
    x = layers.Rescaling(1 / 127, -1)(x)
    x = lq.layers.QuantConv2D(32, 5, padding="same", **{**FIRST, "use_bias": True})(x)
    x = layers.MaxPooling2D(2)(layers.BatchNormalization(epsilon=1e-5)(x))
    x = conv(48, padding="same", pad_values=1.0, use_bias=True)(x)
    x = layers.MaxPooling2D(3, 2)(layers.BatchNormalization()(x))
    x = layers.ZeroPadding2D(1)(x)
    x = conv(64, strides=2, input_quantizer="approx_sign")(x)
    x = layers.BatchNormalization(center=False)(x)
    x = lq.quantizers.SteSign()(x)
    x = conv(32, 1, input_quantizer=None, kernel_quantizer="magnitude_aware_sign")(x)
    x = layers.Flatten()(layers.BatchNormalization()(x))
    return scatter(tf.keras.Model(picture, lq.layers.QuantDense(5, **BINARY)(x)))


def residual(last: str = "binary") -> Any:
    """Bi-Real shortcuts, averaged and repeated; a float kernel on the picture.

    Args:
        last: ``binary`` or ``float``.
    """
    picture = x = tf.keras.Input((32, 32, 3))
    x = layers.Conv2D(32, 3, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization()(layers.MaxPooling2D(2)(x))
    for filters, stride in ((32, 1), (64, 2), (64, 1)):
        y = x
        if stride > 1:
            y = layers.AveragePooling2D(2)(x)
            y = layers.Concatenate()([y, y])
            z = conv(filters, strides=2)(layers.ZeroPadding2D(1)(x))
        else:
            z = conv(filters, padding="same", pad_values=1.0, input_quantizer="approx_sign")(x)
        x = layers.Add()([y, layers.BatchNormalization()(z)])
    x = layers.GlobalAveragePooling2D()(x)
    if last == "float":
        x = layers.Dense(5, activation="softmax")(x)
    else:
        options = {**BINARY, "input_quantizer": None}
        x = layers.BatchNormalization()(lq.layers.QuantDense(5, **options)(x))
    return scatter(tf.keras.Model(picture, x))
