"""Larq layers with one latent kernel for several tasks: ``layer(x, task="digits")``.

The kernel is one variable; what differs by task is the key that its quantizer applies. There are no
biases: batch norm is per task and a layer of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rbnn.nets.framework import lq, tf
from rbnn.nets.quantizer import KeyedSign
from rbnn.nets.schemes import LayerKey
from rbnn.spec.layout import Adapter


class Reconfigurable:
    """What the layers have in common, to be mixed in before a Larq layer.

    Args:
        args: positional arguments of the Larq layer.
        tasks: names of the tasks that share the kernel.
        scheme: one of ``rbnn.nets.schemes.SCHEMES``.
        kwargs: further arguments of the Larq layer.
    """

    kernel_quantizer: KeyedSign
    kernel: Any

    def __init__(
        self, *args: Any, tasks: Sequence[str], scheme: str = "xor", **kwargs: Any
    ) -> None:
        options = {"use_bias": False, "kernel_constraint": "weight_clip", **kwargs}
        super().__init__(*args, **options, kernel_quantizer=KeyedSign(tasks, scheme))  # type: ignore[call-arg]

    def build(self, input_shape: Any) -> None:
        """Create the latent kernel and room for the keys."""
        super().build(input_shape)  # type: ignore[misc]
        self.kernel_quantizer.build(self.latent_kernel.shape)

    def set_key(self, task: str, key: LayerKey) -> None:
        """Give ``task`` its key, of the kind that the scheme has; see :class:`KeyedSign`."""
        self.kernel_quantizer.set_key(task, key)

    def task_kernel(self, task: str) -> tf.Tensor:
        """Binary kernel of ``task``: float32, the kernel's shape, values -1 and +1."""
        with self.kernel_quantizer.using(task):
            return self.kernel_quantizer(self.latent_kernel)

    def task_latent(self, task: str) -> tf.Tensor:
        """Latent kernel of ``task``, in [-1, 1]: its signs are those of :meth:`task_kernel`."""
        return self.kernel_quantizer.keyed(tf.convert_to_tensor(self.latent_kernel), task)

    @property
    def latent_kernel(self) -> tf.Variable:
        """The one shared float32 variable, in [-1, 1]."""
        return self.kernel.latent_variable

    def call(self, inputs: tf.Tensor, task: str) -> tf.Tensor:
        """Compute with the kernel of ``task``."""
        with self.kernel_quantizer.using(task):
            return super().call(inputs)  # type: ignore[misc]

    def get_config(self) -> dict[str, Any]:
        """Everything but the keys."""
        config = super().get_config()  # type: ignore[misc]
        del config["kernel_quantizer"]
        quantizer = self.kernel_quantizer
        return {**config, "tasks": list(quantizer.tasks), "scheme": quantizer.scheme}


@lq.utils.register_keras_custom_object
class ReconfigurableConv2D(Reconfigurable, lq.layers.QuantConv2D):  # type: ignore[misc]
    """``larq.layers.QuantConv2D`` whose binary kernel is that of the task of the call.

    Args:
        args: positional arguments of ``QuantConv2D``; its own padding stays ``"valid"``.
        border: pixels added on each side, with any stride.
        border_value: their value, in front of the input quantizer.
        halved: compute with bfloat16 while training, see :func:`halved_convolution`.
        kwargs: further arguments of :class:`Reconfigurable` and ``QuantConv2D``.

    Input shape: (batch, height, width, channels). Output shape: (batch, height', width', filters).
    """

    def __init__(
        self,
        *args: Any,
        border: int = 0,
        border_value: float = 0.0,
        halved: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.border = border
        self.border_value = border_value
        self.halved = halved
        self._training = False

    def build(self, input_shape: Any) -> None:
        """Create the latent kernel and room for the keys."""
        batch, height, width, channels = input_shape
        grown = [None if side is None else side + 2 * self.border for side in (height, width)]
        super().build(tf.TensorShape([batch, *grown, channels]))

    def call(self, inputs: tf.Tensor, task: str, training: bool | None = None) -> tf.Tensor:
        """Compute with the kernel of ``task``."""
        if self.border:
            sides = [self.border, self.border]
            inputs = tf.pad(
                inputs, [[0, 0], sides, sides, [0, 0]], constant_values=self.border_value
            )
        self._training = bool(training)
        return super().call(inputs, task)

    def convolution_op(self, inputs: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
        """Convolve quantized inputs and kernel."""
        if self.halved and self._training:
            return halved_convolution(inputs, kernel, self.strides[0])
        return super().convolution_op(inputs, kernel)

    def get_config(self) -> dict[str, Any]:
        """Everything but the keys."""
        return {
            **super().get_config(),
            "border": self.border,
            "border_value": self.border_value,
            "halved": self.halved,
        }


SMALLEST_HALVED_SIDE = 8
"""Of the output, from which on the kernel's gradient is faster in bfloat16 on a CPU."""


def halved_convolution(inputs: tf.Tensor, kernel: tf.Tensor, stride: int) -> tf.Tensor:
    """A convolution without padding whose factors are bfloat16; its sums and gradients are float32.

    Values of -1, 0 and +1 are exact in bfloat16, and so are their sums up to 256; beyond that, and
    in the gradients, results are rounded to 8 bits.

    Args:
        inputs: (batch, height, width, channels) float32, of -1 and +1.
        kernel: (side, side, channels, filters) float32, of -1 and +1.
        stride: in both directions.
    """
    options = {"strides": [1, stride, stride, 1], "padding": "VALID"}

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def convolve(x: tf.Tensor, w: tf.Tensor) -> Any:
        half_x, half_w = (tf.cast(value, tf.bfloat16) for value in (x, w))
        y = tf.nn.conv2d(half_x, half_w, **options)

        def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            half = tf.cast(upstream, tf.bfloat16)
            of_x = tf.nn.conv2d_transpose(half, half_w, tf.shape(x), **options)
            small = upstream.shape[1] < SMALLEST_HALVED_SIDE
            of_w = tf.raw_ops.Conv2DBackpropFilter(
                input=x if small else half_x,
                filter_sizes=tf.shape(w),
                out_backprop=upstream if small else half,
                **options,
            )
            return tf.cast(of_x, tf.float32), tf.cast(of_w, tf.float32)

        return tf.cast(y, tf.float32), gradient

    # Larq's quantized variable is no tensor yet.
    return convolve(inputs, tf.convert_to_tensor(kernel))


@lq.utils.register_keras_custom_object
class ReconfigurableDense(Reconfigurable, lq.layers.QuantDense):  # type: ignore[misc]
    """``larq.layers.QuantDense`` whose binary kernel is that of the task of the call.

    Input shape: (batch, inputs). Output shape: (batch, units).
    """


@lq.utils.register_keras_custom_object
class InputAdapter(tf.keras.layers.Layer):  # type: ignore[misc]
    """A task's 8-bit image as the network's input: integers in -255 .. 255, as float32.

    Args:
        channels: channels of the network's input.
        adapter: ``rbnn.spec.layout.Adapter``; REPLICATE copies a grey channel to all of them.
        offsets: subtracted from each of the network's channels.

    Input shape: (batch, height, width, task's channels). Output shape: (..., channels).

    Source: SPEC, ``params_header``.
    """

    def __init__(self, channels: int, adapter: int, offsets: Sequence[int], **kwargs: Any) -> None:
        super().__init__(trainable=False, **kwargs)
        if len(offsets) != channels:
            raise ValueError(f"One offset per channel ({channels}). Received: {list(offsets)}")
        self.channels = channels
        self.adapter = Adapter(adapter)
        self.offsets = tuple(offsets)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Convert, replicate, subtract."""
        pixels = tf.cast(inputs, tf.float32)
        if self.adapter is Adapter.REPLICATE:
            pixels = tf.repeat(pixels, self.channels, axis=-1)
        return pixels - tf.constant(self.offsets, tf.float32)

    def get_config(self) -> dict[str, Any]:
        """Channels, adapter and offsets."""
        return {
            "name": self.name,
            "dtype": self.dtype,
            "channels": self.channels,
            "adapter": int(self.adapter),
            "offsets": list(self.offsets),
        }


@lq.utils.register_keras_custom_object
class TaskLogits(tf.keras.layers.Layer):  # type: ignore[misc]
    """The outputs that a task uses: the first ``classes`` of the shared last layer.

    Input shape: (batch, largest class count). Output shape: (batch, classes).
    """

    def __init__(self, classes: int, **kwargs: Any) -> None:
        super().__init__(trainable=False, **kwargs)
        self.classes = classes

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Cut the others off."""
        return inputs[:, : self.classes]

    def get_config(self) -> dict[str, Any]:
        """Class count."""
        return {"name": self.name, "dtype": self.dtype, "classes": self.classes}
