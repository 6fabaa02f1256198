"""From the layers of a Keras model to a topology of the device and its parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rbnn.nets.own.builder import Net
from rbnn.nets.own.layers import Value
from rbnn.nets.topology import Shape, Topology
from rbnn.runs.parameters import Normalisation, OwnWeights
from rbnn.spec.layout import Stage
from rbnn.train.imported.fold import (
    Folded,
    fold,
    increasing,
    logits_norm,
    stream_norm,
    threshold_norm,
)
from rbnn.train.imported.nodes import Affine, Floats, Node, Notes


@dataclass(frozen=True)
class Converted:
    """A model in the device's operators.

    Args:
        topology: its layers.
        binary: the same without 8-bit weights, as a run stores it.
        kernels: -1 and +1, by number of the layer that has bits, in Keras' order.
        normalisations: by number of the layer.
        weights: of the layers with 8-bit weights.
        offsets: subtracted from each channel of the picture.
    """

    topology: Topology
    binary: Topology
    kernels: Mapping[int, Floats]
    normalisations: Mapping[int, Normalisation]
    weights: Mapping[int, OwnWeights]
    offsets: tuple[int, ...]


def convert(
    last: Node, name: str, input_shape: Shape, notes: Notes, magnification: int = 1
) -> Converted:
    """Lay the model out for the device.

    Args:
        last: its dense layer; the others are reached from it.
        name: of the network.
        input_shape: height, width, channels.
        notes: are added to.
        magnification: by which streams are multiplied, and divided where they are read.

    Raises:
        RbnnError: names the first layer that does not fit.
    """
    return _Converter(name, input_shape, last.shape[2], notes).convert(last, magnification)


class _Converter:
    def __init__(self, name: str, input_shape: Shape, classes: int, notes: Notes) -> None:
        self._notes = notes
        self._layer = ""  # of the model, for errors
        self._net = Net(name, input_shape, classes, lambda: f"Layer {self._layer} of the model")
        self._made: dict[int, Value] = {}
        self._numbers: dict[int, tuple[Node, Folded]] = {}
        self._ends = {"stem": True, "dense": True}

    def convert(self, last: Node, magnification: int) -> Converted:
        self._emit(last)
        binary = self._net.topology()
        topology = binary.with_own_weights(not self._ends["stem"], not self._ends["dense"])
        kernels: dict[int, Floats] = {}
        norms: dict[int, Normalisation] = {}
        weights: dict[int, OwnWeights] = {}
        offsets: tuple[int, ...] = ()
        for number, (node, folded) in self._numbers.items():
            layer = topology.layers[number]
            offsets = folded.offsets or offsets
            if layer.stage is Stage.THRESHOLD or node.pooled_last:
                folded = increasing(folded)
            if layer.stage is Stage.THRESHOLD:
                norms[number] = threshold_norm(folded.of_sum)
            elif layer.stage is Stage.RESIDUAL:
                norms[number] = stream_norm(folded.of_sum.times(magnification))
            else:
                limited = layer.reads_stream or layer.op.own_weights
                inputs = layer.filter_weights
                of_sum = folded.of_sum
                if layer.reads_stream:
                    of_sum = Affine(of_sum.factor / magnification, of_sum.shift)
                norms[number] = logits_norm(of_sum, inputs, limited, self._notes)
            if folded.steps is None:
                kernels[number] = folded.weights
            else:
                weights[number] = OwnWeights(folded.weights.astype(np.int8), folded.steps)
        return Converted(topology, binary, kernels, norms, weights, offsets)

    def _emit(self, node: Node) -> Value:
        """What the device gives in place of ``node``; layers run in the order of these calls."""
        if id(node) in self._made:
            return self._made[id(node)]
        shortcut = None if node.shortcut is None else self._emit(node.shortcut)
        source = None if node.source is None else self._emit(node.source)
        self._layer = str(getattr(node.layer, "name", ""))
        made = self._add(node, source, shortcut)
        self._made[id(node)] = made
        return made

    def _add(self, node: Node, source: Value | None, shortcut: Value | None) -> Value:
        net = self._net
        if node.op == "max_pool":
            assert source is not None
            return net.max_pool(source, node.kernel, node.stride)
        if node.op == "average_pool":
            assert source is not None
            return net.average_pool(source, node.kernel)
        folded = fold(node, self._notes)
        filters, window = node.shape[2], (node.kernel, node.stride, node.pad)
        if node.op == "dense":
            assert source is not None
            made = net.dense(source, "bits" if node.wants_bits else "stream")
            self._ends["dense"] = node.is_binary
        elif node.op == "stem":
            falls = node.pool > 1 and not node.pooled_last and (folded.of_sum.factor < 0).any()
            stream = node.wants_stream or bool(falls)  # a stage of a stream may have them
            made = net.stem(filters, *window, node.pool, stream=stream)
            self._ends["stem"] = node.is_binary
        else:
            assert source is not None
            made = net.conv(source, filters, *window, shortcut, stream=node.wants_stream or None)
        self._numbers[made.number] = (node, folded)
        return made
