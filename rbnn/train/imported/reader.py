"""What reading any layer of a Keras model needs: who reads what, and in which form."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np

from rbnn.nets.framework import tf
from rbnn.train.imported import weights
from rbnn.train.imported.nodes import Affine, Floats, ModelImportError, Node, Notes, Value, refuse


def calls(model: Any) -> Iterator[tuple[Any, list[Any], list[Any]]]:
    """Layer, inputs and outputs of every call, in running order."""
    for depth in sorted(model._nodes_by_depth, reverse=True):
        for call in model._nodes_by_depth[depth]:
            yield call.layer, list(call.keras_inputs), tf.nest.flatten(call.outputs)


class Reader:
    """A model that is being read.

    Args:
        model: of Keras 2, functional or sequential.
        pixels: what the model takes for a pixel of 0 to 255, by channel.
        notes: are added to.
    """

    def __init__(self, model: Any, pixels: Affine, notes: Notes) -> None:
        self._pixels = pixels
        self._notes = notes
        self._calls = list(calls(model))
        self._readers = Counter(id(one) for _, inputs, _ in self._calls for one in inputs)
        self._reading: Any = None  # the tensor that the present layer reads
        heavy = [one for one, _, _ in self._calls if hasattr(one, "kernel")]
        if not heavy or not hasattr(heavy[-1], "units"):
            raise ModelImportError(
                "The model does not end with a dense layer.",
                "What fits: QuantDense or Dense as the last layer with weights.",
            )
        self._last = heavy[-1]

    @property
    def _is_shared(self) -> bool:
        """Whether other layers read what the present one reads."""
        return self._readers[id(self._reading)] > 1

    def _weighted(
        self, layer: Any, op: Any, source: Node | None, kernel: Floats, scale: Floats | None,
        x: Value, side: int, stride: int, pad: int,
    ) -> Value:  # fmt: skip
        """The sums of a new layer with a window."""
        filters = kernel.shape[-1]
        sides = [(size + 2 * pad - side) // stride + 1 for size in x.shape[:2]]
        shape = (sides[0], sides[1], filters)
        node = Node(op, layer, source, shape, side, stride, pad, kernel, scale is not None)
        worth = np.ones(filters) if scale is None else scale
        node.of_sum = Affine(worth, weights.bias(layer, filters))
        return Value("sums", shape, node)

    def _on_image(self, x: Value, factor: Any, shift: Any) -> Value:
        assert x.pixels is not None
        both = (np.broadcast_to(np.ravel(one), x.shape[2:]) for one in (factor, shift))
        return x.become(pixels=x.pixels.then(Affine(*both)))

    def _no_activation(self, layer: Any) -> None:
        function = getattr(layer, "activation", None)
        name = getattr(function, "__name__", None)
        if function is None or name == "linear" or (name == "softmax" and layer is self._last):
            return
        refuse(
            layer,
            f"applies {name or type(function).__name__} to its sums.",
            "What fits: no activation; the next layer's input_quantizer takes signs.",
        )

    def _finished(self, x: Value) -> Value:
        """A value whose batch norm, if it has one, is over."""
        if x.stage != "sums":
            return x
        return x.become(stage="real" if x.base is None else "signed", base=None)

    def _bits(self, layer: Any, x: Value, signs: bool) -> Node:
        """The node whose bits a layer reads."""
        x = self._finished(x)
        if not signs and x.stage != "signs":
            refuse(
                layer,
                "reads numbers; this operator of devices reads bits.",
                "What fits: input_quantizer ste_sign.",
            )
        if x.repeats > 1 or x.node is None or x.node.op == "average_pool":
            refuse(
                layer,
                "reads the signs of an average or of repeated channels.",
                "What fits: the signs of a convolution.",
            )
        x.node.wants_bits = True
        return x.node

    def _stream(self, layer: Any, x: Value) -> Node:
        """The node whose stream a layer reads."""
        x = self._finished(x)
        if x.stage != "real" or x.node is None or x.zeros:
            refuse(
                layer,
                "reads numbers; after a sign or a max pool devices have bits only.",
                "What fits: the output of BatchNormalization or Add, or an input_quantizer.",
            )
        x.node.wants_stream = True
        return x.node
