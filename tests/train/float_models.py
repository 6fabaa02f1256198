"""Small float models that know the task ``colour`` of ``tiny_tasks``, as users would bring them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from rbnn.nets.framework import tf

SHARPNESS = 0.05
"""Logits per grey level by which a stripe is brighter than the picture."""


def stripe_model(
    library: Any = None,
    *,
    classes: int = 4,
    shape: tuple[int, int, int] = (32, 32, 3),
    factor: float = 1.0,
    offset: float = 0.0,
    activation: str | None = "softmax",
    order: tuple[int, ...] | None = None,
) -> Any:
    """A Keras model that compares the stripes of the classes.

    Args:
        library: Keras 2, the default, or Keras 3.
        classes: of its output.
        shape: of its input.
        factor, offset: by which the levels 0 to 255 were changed before it was trained.
        activation: of its last layer.
        order: of its classes, where it is not that of the task.
    """
    keras = library or tf.keras
    rows = shape[0]
    weights = np.full((rows, shape[1], shape[2], classes), -1 / rows)
    for place, label in enumerate(order or range(classes)):
        first, last = ((6 * label + edge) * rows // 32 for edge in (2, 6))
        weights[first:last, :, :, place] += 1 / (last - first)
    weights *= SHARPNESS / shape[1] / shape[2] / factor
    layers = keras.layers
    last = layers.Dense(classes, activation=activation)
    model = keras.Sequential([layers.Input(shape), layers.Flatten(), last])
    kernel = weights.reshape(-1, classes)
    last.set_weights([kernel, -offset * kernel.sum(axis=0)])
    return model


def write_lite(path: Path, model: Any, *, integers: bool = False) -> Path:
    """The model in TensorFlow Lite; with ``integers``, fully quantised."""
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    if integers:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        sample = np.random.default_rng(1).uniform(0, 255, (1, *model.input_shape[1:]))
        converter.representative_dataset = lambda: [[sample.astype(np.float32)]]
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8
    path.write_bytes(converter.convert())
    return path
