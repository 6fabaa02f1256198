"""The integer reference: the network of one task in numpy, exact, from the container's own bytes.

Sums are computed with float32 matrix products: exact, as no partial sum reaches 2^24. A layer that
could get there is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rbnn.errors import RbnnError
from rbnn.export import params as task_params
from rbnn.export.container import Container
from rbnn.export.errors import ExportError
from rbnn.export.outputs import Outputs
from rbnn.export.plan import row_bits
from rbnn.export.seal import unseal
from rbnn.nets.topology import Layer
from rbnn.spec import packing, stream
from rbnn.spec.layout import Adapter, Operator
from rbnn.spec.scores import softmax_ppm

EXACT = 2**24
BATCH = 64

Floats = npt.NDArray[np.float32]
Images = npt.NDArray[np.uint8]


def adapt(images: Images, params: task_params.TaskParams) -> Floats:
    """A task's images as the network's input: integers, offsets subtracted.

    Args:
        images: (n, height, width, task's channels), uint8.
        params: the task's own part.

    Returns:
        (n, height, width, network's channels), float32 with integer values in -255..255.
    """
    pixels = images.astype(np.float32)
    if params.adapter is Adapter.REPLICATE:
        pixels = np.repeat(pixels, len(params.offsets), axis=-1)
    return pixels - np.array(params.offsets, np.float32)


def convolve(inputs: Floats, rows: packing.Bits, layer: Layer, pad_value: float) -> Floats:
    """Integer sums of a convolution.

    Args:
        inputs: (n, height, width, channels), integers.
        rows: (filters, bits per filter), True for +1.
        layer: window, stride and padding.
        pad_value: what stands outside of the input.

    Returns:
        (n, height', width', filters), integers.
    """
    pad = layer.pad
    padded = np.pad(inputs, ((0, 0), (pad, pad), (pad, pad), (0, 0)), constant_values=pad_value)
    columns = _windows(padded, layer).reshape(-1, rows.shape[1])
    sums: Floats = columns @ np.where(rows, np.float32(1), np.float32(-1)).T
    return sums.reshape(len(inputs), *layer.out_shape)


def pool(inputs: packing.Bits, layer: Layer) -> packing.Bits:
    """Maximum of bits over windows; (n, height, width, channels) in and out."""
    return np.asarray(_windows(inputs, layer).any(axis=3), np.bool_)


def _windows(inputs: npt.NDArray[Any], layer: Layer) -> npt.NDArray[Any]:
    """(n, height, width, channels) to (n, height', width', kernel * kernel, channels)."""
    height, width, _ = layer.out_shape
    step = layer.stride
    taps = [
        inputs[:, y : y + step * (height - 1) + 1 : step, x : x + step * (width - 1) + 1 : step]
        for y in range(layer.kernel)
        for x in range(layer.kernel)
    ]
    return np.stack(taps, axis=3)


def dense(inputs: packing.Bits, rows: packing.Bits) -> npt.NDArray[np.int64]:
    """Inner products of +-1 values; (n, bits) and (outputs, bits) give (n, outputs)."""
    signs = np.where(inputs, np.float32(1), np.float32(-1))
    return np.asarray(signs @ np.where(rows, np.float32(1), np.float32(-1)).T, np.float32).astype(
        np.int64
    )


@dataclass(frozen=True)
class Reference:
    """One task's network, opened.

    Args:
        container: the model.
        task: task number.
        params: the task's own part.
        rows: by layer number, the task's weights: (filters, bits per filter), True for +1.
    """

    container: Container
    task: int
    params: task_params.TaskParams
    rows: dict[int, packing.Bits]

    @classmethod
    def open(cls, container: Container, task: int, secret: bytes) -> Reference:
        """Open a task of a container with its secret (32 bytes).

        Raises:
            SealedBlockError: the secret is not the task's, or the block was changed.
        """
        plaintext = unseal(container.tasks[task].sealed, secret, container.model_id, task)
        params = task_params.decode(plaintext, container.topology, container.plan)
        rows: dict[int, packing.Bits] = {}
        for number, layer in enumerate(container.topology.layers):
            stored = container.stored_bits(number)
            if not stored:
                continue
            if row_bits(layer) * (255 if layer.op is Operator.STEM else 1) >= EXACT:
                raise ExportError(f"Layer {number} has sums that the reference cannot compute.")
            weights = stream.reconfigure(stored, secret, container.model_id, number)
            rows[number] = packing.unpack_rows(weights, row_bits(layer))
        return cls(container, task, params, rows)

    def infer(self, images: Images) -> Outputs:
        """Run a batch and keep every layer's output.

        Args:
            images: (n, height, width, task's channels), uint8.

        Raises:
            RbnnError: the images have another shape than the task's input.
        """
        expected = (*self.container.topology.input_shape[:2], self.params.input_channels)
        if images.shape[1:] != expected or images.dtype != np.uint8:
            raise RbnnError(
                f"Task {self.container.tasks[self.task].name} takes uint8 images of shape "
                f"{expected}. Received: {images.dtype} {images.shape[1:]}."
            )
        parts = [self._infer(images[i : i + BATCH]) for i in range(0, len(images), BATCH)]
        return Outputs(
            np.concatenate([part.logits for part in parts]),
            tuple(
                np.concatenate(layers)
                for layers in zip(*(part.layers for part in parts), strict=True)
            ),
        )

    def scores(self, logits: npt.NDArray[np.int32]) -> list[list[int]]:
        """Scores in parts per million of each sample; see :mod:`rbnn.spec.scores`."""
        return [softmax_ppm([int(value) for value in row]) for row in logits]

    def _infer(self, images: Images) -> Outputs:
        kept: list[npt.NDArray[np.uint8]] = []
        count = len(images)
        bits = np.empty(0, np.bool_)
        logits = np.empty(0, np.int32)
        for number, layer in enumerate(self.container.topology.layers):
            match layer.op:
                case Operator.STEM:
                    sums = convolve(adapt(images, self.params), self.rows[number], layer, 0)
                    bits = sums >= self.params.thresholds[number]
                case Operator.CONV:
                    signs = np.where(bits, np.float32(1), np.float32(-1))
                    sums = convolve(signs, self.rows[number], layer, 1)
                    bits = sums >= self.params.thresholds[number]
                case Operator.MAX_POOL:
                    bits = pool(bits, layer)
                case Operator.DENSE:
                    products = dense(bits.reshape(count, -1), self.rows[number])
                    wide = products * self.params.scales + self.params.biases
                    logits = wide.astype(np.int32)
                    if (logits != wide).any():
                        raise ExportError(f"Layer {number}: a logit overflows 32 bits.")
            raw = (
                logits.astype("<i4").tobytes()
                if layer.op is Operator.DENSE
                else (packing.pack_rows(bits))
            )
            kept.append(np.frombuffer(raw, np.uint8).reshape(count, -1))
        return Outputs(logits[:, : self.container.tasks[self.task].classes], tuple(kept))
