"""A network in numpy, straight from the definitions in ``rbnn.spec.layout``."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from rbnn.nets.build import SharedNetwork, TaskInput
from rbnn.nets.topology import Layer
from rbnn.spec import key_stream, operators
from rbnn.spec.layout import Activation, Adapter, Sign, Stage

Values = npt.NDArray[np.float64]


class NumpyNetwork:
    """Computes one task of ``network`` in float64; streams in whole 256ths.

    Args:
        network: with channel counts that are multiples of 32; its values are read.
        task: which one.
        secret: the task's, 32 bytes.
        model_id: 16 bytes.
    """

    def __init__(
        self, network: SharedNetwork, task: TaskInput, secret: bytes, model_id: bytes
    ) -> None:
        self.network = network
        self.task = task
        self.own = network.own[task.name]
        self.secret = secret
        self.model_id = model_id

    def __call__(self, images: npt.NDArray[np.uint8]) -> Values:
        """Logits, (n, classes)."""
        channels = self.network.topology.input_shape[2]
        image = images.astype(np.float64)
        if self.task.adapter is Adapter.REPLICATE:
            image = np.repeat(image, channels, axis=-1)
        bits = {-1: image - np.array(self.task.offsets)}
        streams: dict[int, Values] = {}
        for number, layer in enumerate(self.network.topology.layers):
            x = (streams if layer.reads_stream else bits)[layer.source]
            if layer.op is operators.MAX_POOL:
                bits[number] = windows(x, layer.kernel).max(axis=(2, 4))
            elif layer.op is operators.AVERAGE_POOL:
                streams[number] = rounded(windows(x, layer.kernel).mean(axis=(2, 4)))
            elif layer.kernel == 0:
                x = self.normalise(number, x.reshape(len(x), -1) @ self.weights(number))
            else:
                sums = convolve(x, self.weights(number), layer)
                if layer.pool > 1:
                    sums = windows(sums, layer.pool).max(axis=(2, 4))
                if layer.stage is Stage.THRESHOLD:
                    bits[number] = np.where(self.normalise(number, sums) >= 0, 1.0, -1.0)
                    continue
                total = self.scale(number, layer, sums)
                if layer.shortcut is not None:
                    shortcut = streams[layer.shortcut]
                    total += shortcut[..., np.arange(total.shape[-1]) % shortcut.shape[-1]]
                streams[number] = self.activate(number, layer, saturated(total))
                bits[number] = self.signs(number, layer, streams[number])
        return x[:, : self.task.classes]

    def weights(self, number: int) -> Values:
        """The task's kernel, -1 and +1."""
        layer = self.network.topology.layers[number]
        stored = self.network.shared[number].latent_kernel.numpy() >= 0
        mask = key_stream.kernel_mask(
            key_stream.stream_key(self.secret, self.model_id),
            number,
            layer.kernel_shape,
            layer.packing,
            self.network.cipher,
        )
        return np.where(stored ^ mask, 1.0, -1.0)

    def normalise(self, number: int, sums: Values) -> Values:
        """Batch norm at inference."""
        norm = self.own.norms[number]
        scaled = (sums - norm.moving_mean.numpy()) / np.sqrt(norm.moving_variance.numpy() + 1e-3)
        gamma = 1.0 if norm.gamma is None else norm.gamma.numpy().astype(np.float64)
        return np.asarray(gamma * scaled + norm.beta.numpy())

    def scale(self, number: int, layer: Layer, sums: Values) -> Values:
        """Batch norm of a residual stage: 16-bit scales with one shift for all channels."""
        norm = self.own.norms[number]
        unit = 2 if layer.op is operators.CONV else 1
        factor = norm.gamma.numpy() / np.sqrt(norm.moving_variance.numpy().astype("f8") + 1e-3)
        exact = 256 * unit * factor
        shift = max(s for s in range(17) if abs(np.rint(exact * 2.0**s)).max() < 2**15)
        bias = 256 * (norm.beta.numpy() - factor * norm.moving_mean.numpy()) + 0.5
        scaled = np.floor(np.rint(exact * 2.0**shift) * (sums / unit) / 2**shift)
        return saturated((np.rint(bias) + scaled) / 256)

    def activate(self, number: int, layer: Layer, values: Values) -> Values:
        """RPReLU, or nothing."""
        if layer.activation is Activation.NONE:
            return values
        bend = self.own.activations[number]
        point, offset = (rounded(one.numpy()) for one in (bend.point, bend.offset))
        slope = np.floor(bend.slope.numpy().astype(np.float64) * 2**14 + 0.5)
        slope = np.clip(slope, -(2**15), 2**15 - 1) / 2**14
        moved = saturated(values - point)
        bent = np.where(moved >= 0, moved, np.floor(slope * moved * 256) / 256)
        return saturated(bent + offset)

    def signs(self, number: int, layer: Layer, values: Values) -> Values:
        """A residual stage's bits, -1 and +1."""
        if layer.sign is Sign.ZERO:
            return np.where(values >= 0, 1.0, -1.0)
        return np.where(values >= rounded(self.own.signs[number].threshold.numpy()), 1.0, -1.0)


def windows(x: Values, side: int) -> Values:
    """(n, height / side, side, width / side, side, channels)."""
    count, height, width, depth = x.shape
    return x.reshape(count, height // side, side, width // side, side, depth)


def convolve(x: Values, weights: Values, layer: Layer) -> Values:
    """Sums of a stem or a convolution, before its pool."""
    border = 0 if layer.op is operators.STEM else 1
    sides: Sequence[tuple[int, int]] = ((0, 0), (layer.pad,) * 2, (layer.pad,) * 2, (0, 0))
    padded = np.pad(x, sides, constant_values=border)
    height, width = (side * layer.pool for side in layer.out_shape[:2])
    step = layer.stride
    result = np.zeros((len(x), height, width, layer.out_shape[2]))
    for row in range(layer.kernel):
        for column in range(layer.kernel):
            tap = padded[:, row::step, column::step][:, :height, :width]
            result += tap @ weights[row, column]
    return result


def rounded(values: npt.ArrayLike) -> Values:
    """The nearest multiples of 1/256, halves up."""
    return np.asarray(np.floor(np.asarray(values, np.float64) * 256 + 0.5) / 256)


def saturated(values: Values) -> Values:
    """Limited to what int16 holds in units of 1/256."""
    return np.clip(values, -128, 128 - 1 / 256)
