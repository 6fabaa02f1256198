"""Reads a Keras model layer by layer, in the order in which they run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from rbnn.train.foreign.config import Admitted
from rbnn.train.foreign.kinds import IMPORTED_LAYERS
from rbnn.train.imported import weights
from rbnn.train.imported.nodes import (
    Affine,
    Node,
    Notes,
    Value,
    refuse,
)
from rbnn.train.imported.weighted import Weighted

SAME_AT_INFERENCE = {
    *("Dropout", "SpatialDropout2D", "GaussianNoise", "GaussianDropout", "AlphaDropout"),
    "ActivityRegularization",
}
FUSED_POOL = 2
LAYERS = (
    "QuantConv2D, Conv2D as the first layer, BatchNormalization, MaxPooling2D, AveragePooling2D, "
    "GlobalAveragePooling2D, Add, ZeroPadding2D, Rescaling, Flatten, QuantDense, Dense as the last "
    "layer, Dropout, softmax"
)

KIND = "is of a kind that no operator of devices has."
ADMITTED = Admitted(IMPORTED_LAYERS, KIND, f"What fits: {LAYERS}.")
"""What a model's file may have to be loaded at all."""


def read_model(model: Any, pixels: Affine, notes: Notes) -> Node:
    """The last layer of the device, from which all others are reached.

    Args:
        model: of Keras 2, functional or sequential.
        pixels: what the model takes for a pixel of 0 to 255, by channel.
        notes: are added to.

    Raises:
        ModelImportError: names the first layer that does not fit, and what would.
    """
    return _Walk(model, pixels, notes).read()


class _Walk(Weighted):
    def __init__(self, model: Any, pixels: Affine, notes: Notes) -> None:
        super().__init__(model, pixels, notes)
        self._values: dict[int, Value] = {}
        self._handlers: dict[str, Callable[[Any, Value], Value]] = {
            "Rescaling": self._rescale,
            "Normalization": self._standardise,
            "Conv2D": self._convolve,
            "QuantConv2D": self._convolve,
            "BatchNormalization": self._normalise,
            "MaxPooling2D": self._max_pool,
            "AveragePooling2D": self._average_pool,
            "GlobalAveragePooling2D": self._average_all,
            "ZeroPadding2D": self._pad,
            "Flatten": self._flatten,
            "Dense": self._dense,
            "QuantDense": self._dense,
            "Activation": self._activate,
            "Softmax": self._activate,
            **dict.fromkeys(("SteSign", "ApproxSign", "SwishSign"), self._sign),
        }

    def read(self) -> Node:
        found: Value | None = None
        for layer, inputs, outputs in self._calls:
            kind = type(layer).__name__
            given = [self._values[id(one)] for one in inputs]
            if kind == "InputLayer":
                found = self._image(layer, tuple(outputs[0].shape[1:]))
            elif kind == "Add":
                found = self._add(layer, given, inputs)
            elif kind == "Concatenate":
                found = self._repeat(layer, given, inputs)
            elif kind in SAME_AT_INFERENCE:
                found = given[0]
            elif kind in self._handlers:
                self._reading = inputs[0]
                found = self._handlers[kind](layer, given[0])
            else:
                refuse(layer, KIND, ADMITTED.fix)
            self._values[id(outputs[0])] = found
            if found.stage == "real" and found.node is not None:
                found.node.tensors.append(outputs[0])
        assert found is not None
        node = found.base or found.node
        if node is None or node.op != "dense":
            refuse(self._calls[-1][0], "does not give classes.", "End with a dense layer.")
        return node

    def _image(self, layer: Any, shape: tuple[int | None, ...]) -> Value:
        if len(shape) != 3 or None in shape:
            refuse(layer, f"takes {shape}.", "What fits: pictures of a fixed size.")
        return Value("image", shape, pixels=self._pixels)  # type: ignore[arg-type]

    def _standardise(self, layer: Any, x: Value) -> Value:
        if x.stage != "image" or x.zeros or layer.invert:
            refuse(layer, "is not right behind the input.", "Normalise the picture only.")
        variance, mean = np.asarray(layer.variance, np.float64), np.asarray(layer.mean)
        weights.check_finite(layer, mean=mean)
        factor = 1 / np.maximum(np.sqrt(weights.not_negative(layer, variance)), 1e-7)
        return self._on_image(x, factor, -mean * factor)

    def _rescale(self, layer: Any, x: Value) -> Value:
        if x.stage != "image" or x.zeros:
            refuse(layer, "is not right behind the input.", "Rescale the picture only.")
        weights.check_finite(layer, scale=layer.scale, offset=layer.offset)
        return self._on_image(x, np.asarray(layer.scale), np.asarray(layer.offset))

    def _max_pool(self, layer: Any, x: Value) -> Value:
        side, stride = weights.window(layer)
        if x.node is None or x.zeros or x.is_flat:
            refuse(layer, "does not follow a convolution.", "Put it behind one.")
        if weights.padding(layer, x.shape, side, stride):
            refuse(layer, "pads its input.", 'What fits: padding="valid".')
        shape = (*((size - side) // stride + 1 for size in x.shape[:2]), x.shape[2])
        node = x.node
        alone = not self._is_shared
        fits = node.op == "stem" and node.pool == 1 and (side, stride) == (FUSED_POOL, FUSED_POOL)
        if fits and alone and x.stage in ("sums", "real") and node.shortcut is None:
            node.pool, node.shape = FUSED_POOL, shape  # type: ignore[assignment]
            node.pooled_last = x.stage == "real"
            return x.become(shape=shape)
        if x.stage == "sums" and x.base is None and not alone:
            refuse(layer, "shares its input with other layers.", "Put batch norm in front of it.")
        node.wants_bits = True
        pool = Node("max_pool", layer, node, shape, side, stride)  # type: ignore[arg-type]
        if x.stage == "sums":
            return x.become(shape=shape, node=pool, base=x.base or node)
        return x.become(shape=shape, node=pool, stage="signs" if x.stage == "signs" else "signed")

    def _average_pool(self, layer: Any, x: Value) -> Value:
        side, stride = weights.window(layer)
        if side != stride or weights.padding(layer, x.shape, side, stride):
            refuse(
                layer, "has windows that overlap or are padded.", "What fits: strides=pool_size."
            )
        return self._average(layer, x, side)

    def _average_all(self, layer: Any, x: Value) -> Value:
        height, width, _ = x.shape
        if height != width:
            refuse(
                layer,
                f"averages {height}x{width} pixels; windows of devices are square.",
                "What fits: Flatten in its place.",
            )
        found = self._average(layer, x, height)
        return found.become(is_flat=not layer.keepdims)

    def _average(self, layer: Any, x: Value, side: int) -> Value:
        node = self._stream(layer, x)
        if side & (side - 1):
            refuse(
                layer,
                f"averages {side}x{side} pixels; windows of devices have a power of two a side.",
                "What fits: Flatten in its place, or another number of pixels.",
            )
        shape = (x.shape[0] // side, x.shape[1] // side, x.shape[2])
        made = Node("average_pool", layer, node, shape, side, side)
        return Value("real", shape, made, repeats=x.repeats)

    def _pad(self, layer: Any, x: Value) -> Value:
        sides = {one for pair in layer.padding for one in pair}
        if len(sides) != 1:
            refuse(layer, "pads unevenly.", "What fits: the same on all sides.")
        if x.stage == "signs":
            refuse(layer, "puts zeros among bits.", "Put it in front of the quantizer.")
        return x.become(zeros=x.zeros + sides.pop())

    def _flatten(self, layer: Any, x: Value) -> Value:
        if x.zeros:
            refuse(layer, "flattens what is padded.", "Leave the padding out.")
        return x.become(is_flat=True)

    def _add(self, layer: Any, given: list[Value], inputs: list[Any]) -> Value:
        if len(given) != 2 or any(one.zeros or one.is_flat for one in given):
            refuse(layer, "does not add two pictures.", "What fits: Add of two.")
        values = [self._finished(one) for one in given]
        order = [id(one) for _, _, outputs in self._calls for one in outputs]
        pairs = sorted(zip(values, inputs, strict=True), key=lambda one: order.index(id(one[1])))
        for (value, tensor), (other, _) in (pairs[::-1], pairs):
            node = value.node
            if (
                value.stage == "real" and node is not None and node.op == "conv"
                and node.shortcut is None and self._readers[id(tensor)] == 1
                and value.repeats == 1 and other.node is not node
            ):  # fmt: skip
                node.shortcut = self._stream(layer, other)
                if (*other.shape[:2], other.shape[2] * other.repeats) != value.shape:
                    refuse(
                        layer,
                        "adds pictures of different shapes.",
                        "What fits: AveragePooling2D and Concatenate([x, x]) in the shortcut.",
                    )
                return value
        refuse(
            layer,
            "adds no convolution that only it reads.",
            "What fits: Add([BatchNormalization of a convolution, the stream before it]).",
        )

    def _repeat(self, layer: Any, given: list[Value], inputs: list[Any]) -> Value:
        same = len({id(one) for one in inputs}) == 1 and layer.axis in (-1, 3)
        if not same or given[0].stage != "real":
            refuse(
                layer,
                "joins different tensors.",
                "What fits: Concatenate([x, x]) in a shortcut, which repeats its channels.",
            )
        return given[0].become(repeats=given[0].repeats * len(given))
