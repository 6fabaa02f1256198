"""A network as the device has it: channel counts of bits and streams are padded to multiples of 32,
and each trained channel has its place among the padded ones.

A padding channel's bit is always +1 and its stream always 0: the exporter ensures that through the
parameters of its stage. Trainer and exporter must agree on the places, since the key stream covers
the padded kernel.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rbnn.nets.topology import Layer, Shape, Topology
from rbnn.spec.packing import WORD_BITS, Bits

Places = npt.NDArray[np.int64]
"""Ascending places of trained channels among padded ones."""


@dataclass(frozen=True)
class PaddedNetwork:
    """A network with its padding.

    Args:
        topology: the layers with padded channel counts.
        inputs: per layer, places along its kernel's input axis; of a dense layer, among all of its
            inputs.
        outputs: per layer, places among its output channels.
    """

    topology: Topology
    inputs: tuple[Places, ...]
    outputs: tuple[Places, ...]

    def embed(self, number: int, kernel: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Layer ``number``'s kernel (Keras' order) among zeros, in its padded shape."""
        padded = np.zeros(self.topology.layers[number].kernel_shape, kernel.dtype)
        padded[self._places(number)] = kernel
        return padded

    def trained_shape(self, number: int) -> tuple[int, ...]:
        """Shape of layer ``number``'s kernel as it was trained."""
        shape = self.topology.layers[number].kernel_shape
        return (*shape[:-2], len(self.inputs[number]), len(self.outputs[number]))

    def extract(self, number: int, padded: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Undo :meth:`embed`."""
        return np.ascontiguousarray(padded[self._places(number)])

    def padding_sums(self, number: int, kernel: Bits) -> npt.NDArray[np.int64]:
        """What inputs that are always +1 add to the sum of +-1 products of each trained filter.

        Args:
            number: of the layer.
            kernel: a task's weights, in the padded shape; only those of padding inputs are read.
        """
        rest = np.delete(kernel[..., self.outputs[number]], self.inputs[number], axis=-2)
        return np.asarray(np.where(rest, 1, -1).sum(axis=tuple(range(kernel.ndim - 1))), np.int64)

    def _places(self, number: int) -> tuple[Any, ...]:
        return (..., self.inputs[number][:, None], self.outputs[number][None, :])


def pad(topology: Topology) -> PaddedNetwork:
    """Pad a network's channels. One whose channel counts are multiples of 32 stays as it is."""
    layers: list[Layer] = []
    inputs: list[Places] = []
    outputs: list[Places] = []
    for layer in topology.layers:
        if layer.source < 0:
            in_shape, places = layer.in_shape, _first(layer.in_shape[2])
        else:
            in_shape, places = layers[layer.source].out_shape, outputs[layer.source]
        own, count = _outputs(layer, layers, outputs, places, in_shape)
        layers.append(
            dataclasses.replace(layer, in_shape=in_shape, out_shape=(*layer.out_shape[:2], count))
        )
        inputs.append(_flat(places, in_shape) if not layer.kernel else places)
        outputs.append(own)
    padded = dataclasses.replace(topology, layers=tuple(layers))
    return PaddedNetwork(padded, tuple(inputs), tuple(outputs))


def _first(count: int) -> Places:
    return np.arange(count, dtype=np.int64)


def _flat(places: Places, in_shape: Shape) -> Places:
    """Places of a dense layer's inputs, in the order row, column, channel."""
    height, width, channels = in_shape
    pixels = np.arange(height * width, dtype=np.int64) * channels
    return np.asarray((pixels[:, None] + places).reshape(-1), np.int64)


def _outputs(
    layer: Layer, layers: list[Layer], outputs: list[Places], source: Places, in_shape: Shape
) -> tuple[Places, int]:
    """Places of a layer's output channels, and their padded count."""
    channels = layer.out_shape[2]
    if not layer.op.has_weights:
        return source, in_shape[2]
    if layer.op.is_last:
        return _first(channels), channels
    if layer.shortcut is None:
        return _first(channels), -(-channels // WORD_BITS) * WORD_BITS
    # Channel c adds the shortcut's channel c modulo its count, and must do so when padded.
    added = outputs[layer.shortcut]
    step = layers[layer.shortcut].out_shape[2]
    repeats = channels // len(added)
    places = (np.arange(repeats, dtype=np.int64)[:, None] * step + added).reshape(-1)
    return np.asarray(places, np.int64), repeats * step
