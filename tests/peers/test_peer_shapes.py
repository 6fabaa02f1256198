"""The int8 networks have the published shapes, and their widths fill a given flash."""

from __future__ import annotations

import pytest

from rbnn.errors import RbnnError
from rbnn.peers.shapes import (
    PeerTask,
    scaled,
    separate_scale,
    separate_shapes,
    trunk_scale,
    trunk_shape,
)

TASKS = [
    PeerTask("cifar", "image", 3, 10),
    PeerTask("mnist", "image", 1, 10),
    PeerTask("kws", "audio", 1, 12),
]


def test_the_resnet_of_mlperf_tiny_has_its_published_weights_and_operations() -> None:
    shape = scaled("ResNet-8", 1, 3, [10])
    weights = sum(layer.weights for layer in shape.layers)
    assert weights == 77_360  # the published 78,666 parameters are these, biases and batch norm
    assert round(shape.macs / 1e6, 1) == 12.5
    assert shape.text == "ResNet-8 of 16, 32, 64"


def test_the_ds_cnn_has_its_published_weights() -> None:
    shape = scaled("DS-CNN", 1, 1, [12])
    # 10x4 convolution, four blocks of depthwise 3x3 and pointwise, dense; Hello Edge, DS-CNN S.
    assert sum(layer.weights for layer in shape.layers) == 40 * 64 + 4 * (9 + 64) * 64 + 64 * 12


@pytest.mark.parametrize("flash", [20_000, 100_000, 262_592])
def test_widths_fill_the_flash_and_no_more(flash: int) -> None:
    separate = separate_scale(TASKS, flash)
    needed = sum(shape.flash_bound for shape in separate_shapes(TASKS, separate).values())
    assert 0.9 * flash < needed <= flash
    trunk = trunk_shape(TASKS, trunk_scale(TASKS, flash))
    assert 0.9 * flash < trunk.flash_bound <= flash
    assert trunk.heads == (10, 10, 12) and trunk.channels == 3


def test_sounds_get_the_network_for_sounds() -> None:
    found = {name: shape.family for name, shape in separate_shapes(TASKS, 0.5).items()}
    assert found == {"cifar": "ResNet-8", "mnist": "ResNet-8", "kws": "DS-CNN"}
    assert separate_shapes(TASKS, 0.5)["mnist"].channels == 1


def test_a_flash_that_is_too_small_is_refused() -> None:
    with pytest.raises(RbnnError, match="No int8 networks fit into the 100 bytes"):
        separate_scale(TASKS, 100)
