"""The integer reference: one task's network in numpy, exact, from the container's own bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rbnn.container import params as task_params
from rbnn.container.container import Container
from rbnn.container.errors import ExportError
from rbnn.container.params import Logits, Residual, Thresholds
from rbnn.container.seal import unseal
from rbnn.engine import arithmetic
from rbnn.engine.outputs import Outputs
from rbnn.errors import RbnnError
from rbnn.nets.device_rules import describe
from rbnn.nets.topology import Layer
from rbnn.operators.windows import Floats, Stream, Sums
from rbnn.operators.workings import WORKINGS, Kernel
from rbnn.spec import key_stream, packing
from rbnn.spec.layout import Adapter, Output
from rbnn.spec.operators import Reads, Writes
from rbnn.spec.scores import softmax_ppm

BATCH = 64

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


@dataclass
class _Values:
    """What one layer gave for a batch; members that it does not write are None."""

    bits: packing.Bits | None = None
    stream: Stream | None = None
    logits: npt.NDArray[np.int32] | None = None

    def kept(self, count: int) -> npt.NDArray[np.uint8]:
        """(n, bytes): bits, stream, logits, as the engine's observer sees them."""
        parts = [] if self.bits is None else [packing.pack_rows(self.bits)]
        parts += [] if self.stream is None else [self.stream.astype("<i2").tobytes()]
        parts += [] if self.logits is None else [self.logits.astype("<i4").tobytes()]
        return np.concatenate(
            [np.frombuffer(part, np.uint8).reshape(count, -1) for part in parts], axis=1
        )


@dataclass(frozen=True)
class Reference:
    """One task's network, opened.

    Args:
        container: the model.
        task: task number.
        params: the task's own part.
        kernels: by layer number, the task's weights in Keras' order: True for +1, or int8.
    """

    container: Container
    task: int
    params: task_params.TaskParams
    kernels: dict[int, Kernel]

    @classmethod
    def open(cls, container: Container, task: int, secret: bytes) -> Reference:
        """Open a task of a container with its secret (32 bytes).

        Raises:
            SealedBlockError: the secret is not the task's, or the block was changed.
        """
        plaintext = unseal(container.tasks[task].sealed, secret, container.model_id, task)
        params = task_params.decode(plaintext, container.topology, container.plan)
        keys = container.keys(secret, params.trunk_key)
        kernels: dict[int, Kernel] = {
            number: group.weights
            for number, group in params.groups.items()
            if group.weights is not None
        }
        for number, layer in enumerate(container.topology.layers):
            stored = container.stored_bits(number)
            if not stored:
                continue
            weights = key_stream.reconfigure(stored, keys.of(number), number, container.cipher)
            kernels[number] = packing.unpack_kernel(weights, layer.kernel_shape, layer.packing)
        return cls(container, task, params, kernels)

    def infer(self, images: Images) -> Outputs:
        """Run a batch and keep every layer's output.

        Args:
            images: (n, height, width, task's channels), uint8.

        Raises:
            RbnnError: the images do not have the shape of the task's input.
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
        done: list[_Values] = []
        for number, layer in enumerate(self.container.topology.layers):
            done.append(self._run(number, layer, images, done))
        logits = done[-1].logits
        assert logits is not None
        classes = self.container.tasks[self.task].classes
        return Outputs(logits[:, :classes], tuple(values.kept(len(images)) for values in done))

    def _run(self, number: int, layer: Layer, images: Images, done: list[_Values]) -> _Values:
        given = self._given(layer, images, done)
        made = WORKINGS[layer.op].compute(layer, given, self.kernels.get(number))
        match layer.op.writes:
            case Writes.STAGED:
                return self._stage(number, layer, made, done)
            case Writes.BITS:
                return _Values(bits=made)
            case Writes.STREAM:
                return _Values(stream=made)
            case Writes.LOGITS:
                return _Values(logits=self._logits(number, layer, made))

    def _given(self, layer: Layer, images: Images, done: list[_Values]) -> npt.NDArray[Any]:
        """What a layer reads."""
        if layer.op.reads is Reads.IMAGE:
            return adapt(images, self.params)
        source = done[layer.source]
        given = source.stream if layer.reads_stream else source.bits
        assert given is not None
        return given

    def _stage(self, number: int, layer: Layer, sums: Sums, done: list[_Values]) -> _Values:
        group = self.params.groups[number]
        if isinstance(group, Thresholds):
            return _Values(bits=sums >= group.thresholds)
        assert isinstance(group, Residual)
        shortcut = None if layer.shortcut is None else done[layer.shortcut].stream
        values, bits = arithmetic.residual(sums, shortcut, group)
        return _Values(
            bits=bits if Output.BITS in layer.output else None,
            stream=values if Output.STREAM in layer.output else None,
        )

    def _logits(self, number: int, layer: Layer, products: Sums) -> npt.NDArray[np.int32]:
        group = self.params.groups[number]
        assert isinstance(group, Logits)
        wide = arithmetic.logits(products, group, layer.op)
        logits = wide.astype(np.int32)
        if (logits != wide).any():
            raise ExportError(f"{describe(layer, number)}: a logit overflows 32 bits.")
        return logits
