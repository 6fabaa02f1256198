"""Reads the layers that have weights, their batch norms and signs."""

from __future__ import annotations

from typing import Any

import numpy as np

from rbnn.train.imported import weights
from rbnn.train.imported.nodes import Affine, Floats, Node, Value, refuse
from rbnn.train.imported.reader import Reader

LARGEST = float(np.finfo(np.float32).max)


class Weighted(Reader):
    """Convolutions, dense layers, and what follows their sums."""

    def _convolve(self, layer: Any, x: Value) -> Value:
        side, stride = weights.window(layer)
        kernel, scale = weights.kernel(layer)
        signs = weights.takes_signs(layer)
        height, width, channels = x.shape
        pad = weights.padding(
            layer, (height + 2 * x.zeros, width + 2 * x.zeros, channels), side, stride
        )
        value = float(getattr(layer, "pad_values", 0.0))
        self._no_activation(layer)
        if pad and x.zeros:
            refuse(layer, "pads what is padded already.", 'What fits: padding="valid".')
        if x.stage == "image":
            return self._stem(layer, x, kernel, scale, side, stride, pad, signs, value)
        source = self._bits(layer, x, signs)
        if scale is None:
            refuse(
                layer,
                "has a float kernel; only the first and the last layer may.",
                f"What fits: QuantConv2D with kernel_quantizer {weights.KERNELS}.",
            )
        if pad and value != 1.0:
            refuse(
                layer,
                f"pads bits with {value:g}; devices pad them with 1.",
                "What fits: pad_values=1.0, ZeroPadding2D in front of the input quantizer, or "
                'padding="valid".',
            )
        if x.zeros and not signs:
            refuse(
                layer, "reads zeros among bits.", "What fits: an input_quantizer, zeros become 1."
            )
        return self._weighted(layer, "conv", source, kernel, scale, x, side, stride, pad + x.zeros)

    def _stem(
        self, layer: Any, x: Value, kernel: Floats, scale: Floats | None,
        side: int, stride: int, pad: int, signs: bool, value: float,
    ) -> Value:  # fmt: skip
        if signs:
            refuse(
                layer,
                "reads the signs of the picture; devices read its 8 bits.",
                "What fits: the first layer without an input_quantizer.",
            )
        if pad and value != 0.0:
            refuse(layer, f"pads the picture with {value:g}.", "What fits: pad_values=0.0.")
        found = self._weighted(layer, "stem", None, kernel, scale, x, side, stride, pad + x.zeros)
        assert found.node is not None
        found.node.pixels = x.pixels
        return found

    def _normalise(self, layer: Any, x: Value) -> Value:
        values = [np.asarray(one, np.float64) for one in layer.get_weights()]
        gamma = values.pop(0) if layer.scale else np.ones_like(values[0])
        beta = values.pop(0) if layer.center else np.zeros_like(values[0])
        mean, variance = values
        if tuple(layer.axis) != (layer.input_spec.ndim - 1,):
            refuse(layer, "does not normalise the channels.", "What fits: axis=-1.")
        weights.check_finite(layer, gamma=gamma, beta=beta, mean=mean)
        factor = gamma / weights.deviation(layer, variance)
        found = Affine(factor, beta - factor * mean)
        if x.stage == "image" and not x.zeros:
            return self._on_image(x, found.factor, found.shift)
        if x.stage != "sums" or x.zeros:
            refuse(
                layer,
                "does not follow a convolution or a dense layer.",
                "What fits: convolution, MaxPooling2D if any, BatchNormalization, Add if any.",
            )
        node = x.base or x.node
        assert node is not None and node.of_sum is not None
        if self._is_shared:
            refuse(layer, "shares its input with other layers.", "Let them read what it gives.")
        node.of_sum = node.of_sum.then(found)
        if max(np.abs(node.of_sum.factor).max(), np.abs(node.of_sum.shift).max()) > LARGEST:
            refuse(layer, "scales beyond what 32-bit floats hold.", "Train the model again.")
        if x.base is None:
            return x.become(stage="real")
        if (node.of_sum.factor < 0).any():
            count = int((node.of_sum.factor < 0).sum())
            refuse(
                layer,
                f"has a negative gamma in {count} of {len(factor)} channels, and a MaxPooling2D "
                "before it; sign and maximum then do not commute.",
                "What fits: BatchNormalization in front of MaxPooling2D, or scale=False.",
            )
        return x.become(stage="signed", base=None)

    def _dense(self, layer: Any, x: Value) -> Value:
        kernel, scale = weights.kernel(layer)
        signs = weights.takes_signs(layer)
        self._no_activation(layer)
        if x.stage == "image":
            refuse(layer, "reads the picture.", "Begin with a convolution.")
        if not x.is_flat and x.shape[:2] != (1, 1):
            refuse(layer, "is applied to every pixel.", "Put Flatten in front of it.")
        if x.zeros or x.repeats > 1:
            refuse(layer, "reads padding or repeated channels.", "Leave them out.")
        if layer is self._last:
            reads_bits = signs or x.stage == "signs"
            source = self._bits(layer, x, signs) if reads_bits else self._stream(layer, x)
            node = Node("dense", layer, source, (1, 1, kernel.shape[-1]))
            node.weights, node.is_binary = kernel, scale is not None
            worth = np.ones(kernel.shape[-1]) if scale is None else scale
            node.of_sum = Affine(worth, weights.bias(layer, kernel.shape[-1]))
            node.wants_bits = reads_bits
            return Value("sums", node.shape, node)
        height, width, channels = x.shape
        source = self._bits(layer, x, signs)
        if scale is None or height != width:
            refuse(
                layer,
                "is not the last dense layer: it is computed as a convolution whose window is the "
                f"whole picture ({height}x{width} pixels), with binary weights.",
                "What fits: a square picture of 7 pixels a side or less, and kernel_quantizer "
                f"{weights.KERNELS}.",
            )
        whole = kernel.reshape(height, width, channels, -1)
        return self._weighted(layer, "conv", source, whole, scale, x, height, 1, 0)

    def _sign(self, layer: Any, x: Value) -> Value:
        if x.stage == "image" or x.zeros:
            refuse(layer, "takes the sign of a picture or of padding.", "Leave it out.")
        return self._finished(x).become(stage="signs")

    def _activate(self, layer: Any, x: Value) -> Value:
        function = getattr(layer, "activation", None)
        name = "softmax" if function is None else getattr(function, "__name__", None)
        name = name or weights.quantizer(layer, "activation")
        node = x.base or x.node
        if name == "linear" or (name == "softmax" and node is not None and node.op == "dense"):
            return x
        if name in weights.SIGNS:
            return self._sign(layer, x)
        refuse(
            layer,
            f"applies {name}, which no operator of devices has.",
            f"What fits: {', '.join(sorted(weights.SIGNS))}, and softmax at the end.",
        )
