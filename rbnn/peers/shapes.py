"""The int8 networks' layers in plain data, and the flash and work that follow from them.

ResNet-8 for pictures: a 3x3 convolution, then three stages of two 3x3 convolutions with a shortcut
around them, of which the second and the third halve the picture and have a 1x1 convolution in their
shortcut; global average; dense. DS-CNN for sounds: a convolution over 10 frames and 4 bands with
stride 2, then four times a depthwise 3x3 and a 1x1 convolution; global average; dense.

Sources: Banbury et al., "MLPerf Tiny Benchmark", arXiv 2106.07597; Zhang et al., "Hello Edge:
Keyword Spotting on Microcontrollers", arXiv 1711.07128 (DS-CNN S).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from rbnn.cost.peers import Int8Kind
from rbnn.errors import RbnnError
from rbnn.tasks.dataset import Kind
from rbnn.tasks.form import USUAL, Sides

Family = Literal["ResNet-8", "DS-CNN"]
FILTERS: dict[Family, tuple[int, ...]] = {"ResNet-8": (16, 32, 64), "DS-CNN": (64,)}
"""As published, by stage."""
DS_CNN_BLOCKS = 4
DS_CNN_WINDOW = (4, 10)
"""Bands and frames of the first convolution."""
SCALE_STEPS = 64
"""Widths are tried in steps of a 64th of the published one."""
LARGEST_SCALE = 8
CHANNEL_BYTES = 8
"""Of each output channel: a bias of 32 bits and a scale."""
TABLE_BYTES = 96
"""At most, of each layer: scales and zero points of what it writes, constants of its operators."""


@dataclass(frozen=True)
class PeerLayer:
    """One layer with weights.

    Args:
        kind: whose rate its multiply-accumulates have.
        window: weights of one filter in one input channel.
        inputs: channels that a filter reads; 1 of a depthwise one.
        outputs: channels.
        positions: at which each filter is applied.
    """

    kind: Int8Kind
    window: int
    inputs: int
    outputs: int
    positions: int

    @property
    def weights(self) -> int:
        """Its weights, which are as many bytes."""
        return self.window * self.inputs * self.outputs

    @property
    def macs(self) -> int:
        """Nominal multiply-accumulates of one inference, padding included."""
        return self.weights * self.positions


@dataclass(frozen=True)
class PeerShape:
    """One int8 network.

    Args:
        family: what it is called.
        filters: by stage.
        channels: of its input.
        heads: classes of each of its outputs.
        sides: height and width of its input.
    """

    family: Family
    filters: tuple[int, ...]
    channels: int
    heads: tuple[int, ...]
    sides: Sides = USUAL

    @property
    def text(self) -> str:
        """For tables, such as ``ResNet-8 of 16, 32, 64``."""
        return f"{self.family} of {', '.join(map(str, self.filters))}"

    @property
    def layers(self) -> tuple[PeerLayer, ...]:
        """Its layers with weights."""
        body = _resnet(self) if self.family == "ResNet-8" else _ds_cnn(self)
        heads = [PeerLayer("dense", 1, self.filters[-1], classes, 1) for classes in self.heads]
        return (*body, *heads)

    @property
    def macs(self) -> int:
        """Nominal multiply-accumulates of one inference."""
        return sum(layer.macs for layer in self.layers)

    @property
    def flash_bound(self) -> int:
        """What its weights, scales and tables take at most."""
        return sum(
            layer.weights + CHANNEL_BYTES * layer.outputs + TABLE_BYTES for layer in self.layers
        )


def scaled(
    family: Family, scale: float, channels: int, heads: Sequence[int], sides: Sides = USUAL
) -> PeerShape:
    """A network of ``scale`` times the published filters, at least one in each stage."""
    filters = tuple(max(1, round(scale * published)) for published in FILTERS[family])
    return PeerShape(family, filters, channels, tuple(heads), sides)


@dataclass(frozen=True)
class PeerTask:
    """What the shape of a task's network depends on."""

    name: str
    kind: Kind
    channels: int
    classes: int
    sides: Sides = USUAL


def separate_shapes(tasks: Sequence[PeerTask], scale: float) -> dict[str, PeerShape]:
    """A network for each task, by name."""
    return {
        task.name: scaled(
            "DS-CNN" if task.kind == "audio" else "ResNet-8",
            scale,
            task.channels,
            [task.classes],
            task.sides,
        )
        for task in tasks
    }


def trunk_shape(tasks: Sequence[PeerTask], scale: float) -> PeerShape:
    """One ResNet-8 with a head for each task; grey inputs are repeated, as in a binary network."""
    channels = max(task.channels for task in tasks)
    return scaled("ResNet-8", scale, channels, [task.classes for task in tasks], tasks[0].sides)


def separate_scale(tasks: Sequence[PeerTask], flash: int) -> float:
    """The largest scale at which a network for each task fits into ``flash`` bytes together.

    Raises:
        RbnnError: none does.
    """
    return _largest(
        lambda scale: sum(s.flash_bound for s in separate_shapes(tasks, scale).values()), flash
    )


def trunk_scale(tasks: Sequence[PeerTask], flash: int) -> float:
    """The largest scale at which one trunk with all heads fits into ``flash`` bytes.

    Raises:
        RbnnError: none does.
    """
    return _largest(lambda scale: trunk_shape(tasks, scale).flash_bound, flash)


def _largest(needed: Callable[[float], int], flash: int) -> float:
    steps = range(LARGEST_SCALE * SCALE_STEPS, 0, -1)
    found = next((step for step in steps if needed(step / SCALE_STEPS) <= flash), None)
    if found is None:
        raise RbnnError(
            f"No int8 networks fit into the {flash:,} bytes of the shared set.",
            "Name a run with a wider network.",
        )
    return found / SCALE_STEPS


def _resnet(shape: PeerShape) -> list[PeerLayer]:
    first, *_ = shape.filters
    layers = [PeerLayer("stem", 9, shape.channels, first, _positions(shape, 1))]
    before = first
    for stage, filters in enumerate(shape.filters):
        positions = _positions(shape, 1 << stage)
        layers.append(PeerLayer("conv", 9, before, filters, positions))
        layers.append(PeerLayer("conv", 9, filters, filters, positions))
        if stage:
            layers.append(PeerLayer("conv", 1, before, filters, positions))
        before = filters
    return layers


def _positions(shape: PeerShape, stride: int) -> int:
    """Positions of filters that are so many pixels apart, with padding."""
    height, width = shape.sides
    return -(-height // stride) * -(-width // stride)


def _ds_cnn(shape: PeerShape) -> list[PeerLayer]:
    (filters,) = shape.filters
    positions = _positions(shape, 2)
    height, width = DS_CNN_WINDOW
    layers = [PeerLayer("stem", height * width, shape.channels, filters, positions)]
    for _ in range(DS_CNN_BLOCKS):
        layers.append(PeerLayer("conv", 9, 1, filters, positions))
        layers.append(PeerLayer("conv", 1, filters, filters, positions))
    return layers
