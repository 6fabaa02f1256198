"""Keras models of a topology: one per task, sharing every kernel, each with its own batch norms.

``input (u8) -> adapter -> [conv -> (max pool) -> batch norm -> sign]* -> dense -> batch norm``.
The sign stands as the input quantizer of the layer that follows, as Larq has it. Hidden batch norms
have no gamma, so that threshold and maximum commute (see ``rbnn.nets.topology``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rbnn.nets.framework import tf
from rbnn.nets.layers import (
    InputAdapter,
    ReconfigurableConv2D,
    ReconfigurableDense,
    TaskLogits,
)
from rbnn.nets.topology import Layer, Topology
from rbnn.spec.layout import Adapter, Operator
from rbnn.spec.stream import kernel_mask

BATCH_NORM_EPSILON = 1e-3
BATCH_NORM_MOMENTUM = 0.9

SharedLayer = ReconfigurableConv2D | ReconfigurableDense


@dataclass(frozen=True)
class TaskInput:
    """What the builder must know of a task.

    Args:
        name: unique among the network's tasks.
        classes: the first so many outputs are the task's; the others are cut off.
        channels: of the task's own images.
        adapter: how these become the network's channels.
        offsets: subtracted from each of the network's channels.
    """

    name: str
    classes: int
    channels: int
    adapter: Adapter
    offsets: Sequence[int]


class SharedNetwork:
    """One set of latent kernels and one Keras model per task.

    Args:
        topology: the layers.
        tasks: what differs by task.
        scheme: ``xor`` or ``none``.
        seed: of the kernels' first values.

    Attributes:
        shared: the reconfigurable layers by layer number.
        norms: batch norms by task name, then by number of the layer whose sums they take.
        models: by task name; uint8 (batch, height, width, task's channels) to float32 logits
            (batch, task's classes). They compute NaN until :meth:`set_secrets` (scheme ``xor``).
    """

    def __init__(
        self, topology: Topology, tasks: Sequence[TaskInput], scheme: str = "xor", seed: int = 0
    ) -> None:
        self.topology = topology
        self.scheme = scheme
        names = [task.name for task in tasks]
        self.shared: dict[int, SharedLayer] = {
            number: _shared_layer(layer, number, names, scheme, seed)
            for number, layer in enumerate(topology.layers)
            if layer.bits
        }
        self.norms: dict[str, dict[int, tf.keras.layers.BatchNormalization]] = {
            task: {number: _norm(topology.layers[number], number, task) for number in self.shared}
            for task in names
        }
        self.models: dict[str, tf.keras.Model] = {task.name: self._model(task) for task in tasks}

    def set_secrets(self, secrets: Mapping[str, bytes], model_id: bytes) -> None:
        """Key every layer for the tasks named, in place of the keys they had.

        Args:
            secrets: 32 bytes by task name.
            model_id: 16 bytes.
        """
        for task, secret in secrets.items():
            for number, layer in self.shared.items():
                shape = self.topology.layers[number].kernel_shape
                layer.set_key(task, kernel_mask(secret, model_id, number, shape))

    def _model(self, task: TaskInput) -> tf.keras.Model:
        height, width, channels = self.topology.input_shape
        image = tf.keras.Input((height, width, task.channels), dtype=tf.uint8, name=task.name)
        x = InputAdapter(channels, task.adapter, task.offsets, name=f"{task.name}_input")(image)
        norms = self.norms[task.name]
        pending: int | None = None  # layer whose batch norm waits for its max pool
        for number, layer in enumerate(self.topology.layers):
            if layer.op is Operator.MAX_POOL:
                x = tf.keras.layers.MaxPool2D(layer.kernel, layer.stride)(x)
                continue
            if pending is not None:
                x = norms[pending](x)
            if layer.op is Operator.DENSE:
                x = tf.keras.layers.Flatten()(x)
            x = self.shared[number](x, task=task.name)
            pending = number
        if pending is not None:
            x = norms[pending](x)
        logits = TaskLogits(task.classes, name=f"{task.name}_logits")(x)
        return tf.keras.Model(image, logits, name=task.name)


def _shared_layer(
    layer: Layer, number: int, tasks: Sequence[str], scheme: str, seed: int
) -> SharedLayer:
    """The Larq layer of one row of the layer table, built."""
    first_values = tf.keras.initializers.GlorotNormal(seed=seed * 1000 + number)
    if layer.op is Operator.DENSE:
        dense = ReconfigurableDense(
            layer.out_shape[2],
            tasks=tasks,
            scheme=scheme,
            input_quantizer="ste_sign",
            kernel_initializer=first_values,
            name=f"layer_{number}",
        )
        dense.build((None, layer.kernel_shape[0]))
        return dense
    is_stem = layer.op is Operator.STEM
    convolution = ReconfigurableConv2D(
        layer.out_shape[2],
        layer.kernel,
        strides=layer.stride,
        padding="same" if layer.pad else "valid",
        pad_values=0.0 if is_stem else 1.0,
        tasks=tasks,
        scheme=scheme,
        input_quantizer=None if is_stem else "ste_sign",
        kernel_initializer=first_values,
        name=f"layer_{number}",
    )
    convolution.build((None, *layer.in_shape))
    return convolution


def _norm(layer: Layer, number: int, task: str) -> tf.keras.layers.BatchNormalization:
    """Batch norm of one layer for one task, built."""
    norm = tf.keras.layers.BatchNormalization(
        scale=not layer.has_thresholds,
        momentum=BATCH_NORM_MOMENTUM,
        epsilon=BATCH_NORM_EPSILON,
        name=f"{task}_norm_{number}",
    )
    norm.build(
        (None, None, None, layer.out_shape[2]) if layer.kernel else (None, layer.out_shape[2])
    )
    return norm
