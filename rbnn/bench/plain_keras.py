"""A trained network in plain float32: what TensorFlow needs if it need not equal the device.

The models that rbnn trains repeat the device's integers at inference: they key the latent kernels
on every call, and compute a residual stage in float64. Here kernels are constants, batch norms are
folded into them where that is possible, and the stream is not rounded. So a few images are
classified differently, and evaluation is faster.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rbnn.nets.build import SharedNetwork, TaskInput
from rbnn.nets.framework import tf
from rbnn.nets.layers import InputAdapter
from rbnn.nets.task_norm import TaskNorm
from rbnn.nets.topology import Layer
from rbnn.spec.layout import Activation, Sign, Stage
from rbnn.spec.operators import Reads, Writes


def plain_logits(network: SharedNetwork, task: TaskInput) -> Callable[[Any], Any]:
    """A function from uint8 images (n, height, width, task's channels) to float32 logits.

    Args:
        network: keyed for the task.
        task: one of its tasks.
    """
    weights = {
        number: _Weights.of(network, number, layer, task.name)
        for number, layer in enumerate(network.topology.layers)
        if layer.bits
    }
    own = network.own[task.name]
    adapt = InputAdapter(network.topology.input_shape[2], task.adapter, task.offsets)

    def stage(number: int, layer: Layer, x: Any, streams: dict[int, Any]) -> Any:
        if layer.stage is Stage.THRESHOLD:
            return x
        if layer.shortcut is not None:
            shortcut = streams[layer.shortcut]
            repeats = x.shape[-1] // shortcut.shape[-1]
            x += shortcut if repeats == 1 else tf.concat([shortcut] * repeats, axis=-1)
        if layer.activation is Activation.RPRELU:
            point, slope, offset = (value.numpy() for value in own.activations[number].values())
            x = tf.nn.relu(x - point) - slope * tf.nn.relu(point - x) + offset
        return x

    def logits(images: Any) -> Any:
        streams: dict[int, Any] = {-1: adapt(images)}  # what bits are the signs of, too
        signed = dict(streams)
        x: Any = None
        for number, layer in enumerate(network.topology.layers):
            given = (signed if layer.op.reads is Reads.BITS else streams)[layer.source]
            match layer.op.writes:
                case Writes.BITS:
                    x = tf.nn.max_pool2d(given, layer.kernel, layer.stride, "VALID")
                case Writes.STREAM:
                    x = tf.nn.avg_pool2d(given, layer.kernel, layer.stride, "VALID")
                case _:
                    x = stage(number, layer, weights[number].apply(layer, given), streams)
            streams[number] = signed[number] = x
            if layer.sign is Sign.THRESHOLDS:
                signed[number] = x - own.signs[number].values().numpy()
        return x[:, : task.classes]

    return logits


@dataclass(frozen=True)
class _Weights:
    """A layer's kernel and batch norm: ``scale * pool(kernel applied) + bias``.

    ``scale`` is None if the kernel has it: where a pool does not come before it, or it is positive.
    """

    kernel: Any
    scale: Any | None
    bias: Any

    @classmethod
    def of(cls, network: SharedNetwork, number: int, layer: Layer, task: str) -> _Weights:
        kernel = network.shared[number].task_kernel(task).numpy()
        scale, bias = _affine(network.own[task].norms[number])
        if layer.pool == 1 or (scale > 0).all():
            return cls(kernel * scale, None, bias)
        return cls(kernel, scale, bias)

    def apply(self, layer: Layer, given: Any) -> Any:
        """The normalised sums."""
        border = 0.0
        if layer.op.reads is Reads.BITS:
            given, border = tf.where(given >= 0, 1.0, -1.0), 1.0
        if layer.kernel:
            if layer.pad:
                sides = [layer.pad, layer.pad]
                given = tf.pad(given, [[0, 0], sides, sides, [0, 0]], constant_values=border)
            x = tf.nn.conv2d(given, self.kernel, layer.stride, "VALID")
        else:
            x = tf.matmul(tf.reshape(given, [-1, self.kernel.shape[0]]), self.kernel)
        if layer.pool > 1:
            x = tf.nn.max_pool2d(x, layer.pool, layer.pool, "VALID")
        return tf.nn.bias_add(x if self.scale is None else x * self.scale, self.bias)


def _affine(norm: TaskNorm) -> tuple[Any, Any]:
    """A batch norm's factors and terms."""
    factor = 1.0 / (norm.moving_variance.numpy() + norm.epsilon) ** 0.5
    if norm.gamma is not None:
        factor = factor * norm.gamma.numpy()
    return factor, norm.beta.numpy() - factor * norm.moving_mean.numpy()
