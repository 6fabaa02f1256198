"""Networks whose channel counts are not multiples of 32: padding changes no output."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from rbnn.engine.reference import Reference, adapt
from rbnn.nets.padding import pad
from rbnn.nets.topology import Layer
from rbnn.operators import windows
from rbnn.operators.workings import WORKINGS
from rbnn.runs.parameters import ModelParameters, Normalisation
from rbnn.spec import key_stream, operators, packing

TASKS = (("colour", 10, 3), ("grey", 4, 1))


def normalise(sums: npt.NDArray[np.int64], norm: Normalisation) -> npt.NDArray[np.float64]:
    """Batch norm as training has it."""
    deviation = np.sqrt(norm.variance.astype(np.float64) + norm.epsilon)
    return np.asarray(norm.gamma * (sums - norm.mean) / deviation + norm.beta)


class Unpadded:
    """One task of a run as it was trained: without padding channels."""

    def __init__(self, made: Any, task: str) -> None:
        config = made.run.config()
        self.topology = config.topology()
        self.parameters = ModelParameters.load(made.run.parameters_file)
        self.norms = self.parameters.normalisations[task]
        self.padded = pad(self.topology)
        self.secret = made.secrets[task]
        self.model_id = bytes.fromhex(config.model_id)

    def kernel(self, number: int) -> packing.Bits:
        """The task's weights, Keras' shape."""
        layer = self.padded.topology.layers[number]
        key = key_stream.stream_key(self.secret, self.model_id)
        mask = key_stream.kernel_mask(key, number, layer.kernel_shape, layer.packing)
        return (self.parameters.kernels[number] >= 0) ^ self.padded.extract(number, mask)

    def sums(self, number: int, layer: Layer, inputs: npt.NDArray[np.float32]) -> Any:
        """Sums of +-1 products of a stem, after its pool, or of a convolution."""
        if layer.op is operators.STEM:
            return WORKINGS[layer.op].compute(layer, inputs, self.kernel(number))
        return windows.convolve(inputs, windows.signs(self.kernel(number)), layer, 1)


@pytest.mark.parametrize("width", [20, 48])
@pytest.mark.parametrize("task", range(len(TASKS)))
def test_thresholds(random_export: Callable[..., Any], width: int, task: int) -> None:
    """Every bit of a vgg, and its logits to within the rounding of their scales."""
    name = TASKS[task][0]
    made = random_export(width=width, tasks=TASKS)
    container, images = made.export.container, made.images[name][:4]
    reference = Reference.open(container, task, made.secrets[name])
    outputs = reference.infer(images)
    own = Unpadded(made, name)
    values: dict[int, Any] = {}
    for number, layer in enumerate(own.topology.layers):
        places = own.padded.outputs[number]
        if layer.op is operators.DENSE:
            products = WORKINGS[layer.op].compute(layer, values[layer.source], own.kernel(number))
            classes = outputs.logits.shape[1]
            exact = normalise(products, own.norms[number])[:, :classes]
            bound = 2.0 * container.topology.layers[number].in_shape[0] ** 2 * 512 / 2**20
            assert np.abs(outputs.logits / 2**20 - exact).max() < bound
            continue
        if layer.op is operators.MAX_POOL:
            bits = WORKINGS[layer.op].compute(layer, values[layer.source], None)
        else:
            given = adapt(images, reference.params)
            if layer.source >= 0:
                given = windows.signs(values[layer.source])
            bits = normalise(own.sums(number, layer, given), own.norms[number]) >= 0
        values[number] = bits
        rows = packing.unpack_rows(
            outputs.layers[number].tobytes(), container.topology.layers[number].out_shape[2]
        )
        got = rows.reshape(*bits.shape[:3], -1)
        assert np.array_equal(got[..., places], bits), f"layer {number}"
        assert np.delete(got, places, axis=-1).all()


@pytest.mark.parametrize("name", ["resnet", "reactnet"])
def test_first_residual_layers(random_export: Callable[..., Any], name: str) -> None:
    """The stream of the first convolution is the real one to within two units."""
    made = random_export(architecture=name, width=48)
    container, images = made.export.container, made.images["colour"][:4]
    outputs = Reference.open(container, 0, made.secrets["colour"]).infer(images)
    own = Unpadded(made, "colour")
    stem, layer = own.topology.layers[:2]
    places = own.padded.outputs[1]

    def read(number: int) -> tuple[Any, Any]:
        """Bits and stream of a layer's trained channels."""
        height, width, channels = container.topology.layers[number].out_shape
        raw, cut = outputs.layers[number], height * width * channels // 8
        rows = packing.unpack_rows(raw[:, :cut].tobytes(), channels)
        values = np.frombuffer(raw[:, cut:].tobytes(), "<i2")
        shape = (len(images), height, width, channels)
        return rows.reshape(shape)[..., places], values.reshape(shape)[..., places]

    before_bits, before = read(0)
    assert stem.out_shape == layer.in_shape
    sums = own.sums(1, layer, windows.signs(before_bits))
    exact = normalise(sums, own.norms[1]) + before / 256
    if activation := own.parameters.activations.get("colour", {}).get(1):
        moved = exact - activation.point
        exact = np.where(moved >= 0, moved, activation.slope * moved) + activation.offset
    _, got = read(1)
    assert np.abs(got / 256 - np.clip(exact, -128, 127.996)).max() < 3 / 256


def test_a_repeated_shortcut_keeps_its_channels(random_export: Callable[..., Any]) -> None:
    """48 channels that become 96 add the same trained channels twice."""
    padded = pad(random_export(architecture="resnet", width=48).run.config().topology())
    widened = [
        number
        for number, layer in enumerate(padded.topology.layers)
        if layer.shortcut is not None
        and padded.topology.layers[layer.shortcut].out_shape[2] < layer.out_shape[2]
    ]
    assert widened
    for number in widened:
        shortcut = padded.topology.layers[number].shortcut
        assert shortcut is not None
        step = padded.topology.layers[shortcut].out_shape[2]
        modulo = padded.outputs[number] % step
        assert np.array_equal(modulo, np.tile(padded.outputs[shortcut], 2))
