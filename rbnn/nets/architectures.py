"""The architectures by name, with their options: the one list that commands and runs read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rbnn.errors import RbnnError
from rbnn.nets import reactnet, resnet, vgg
from rbnn.nets.own.names import is_network_file
from rbnn.nets.topology import Shape, Topology


@dataclass(frozen=True)
class Architecture:
    """One way of laying out a network.

    Args:
        name: as in ``--arch``.
        summary: one line for lists.
        width: default of ``--width``.
        depth: default of ``--depth``.
        stages: default of ``--stages``; None if the architecture has no such option.
        lay_out: makes the layers from input shape, classes, width, depth and, if it is an option,
            stages.
    """

    name: str
    summary: str
    width: int
    depth: int
    stages: int | None
    lay_out: Callable[..., Topology]


ARCHITECTURES = {
    one.name: one
    for one in (
        Architecture(
            "vgg",
            "convolutions and max pools, thresholds",
            vgg.DEFAULT_WIDTH,
            vgg.DEFAULT_DEPTH,
            None,
            vgg.topology,
        ),
        Architecture(
            "resnet",
            "3x3 convolutions with Bi-Real shortcuts on an integer stream",
            resnet.DEFAULT_WIDTH,
            resnet.DEFAULT_DEPTH,
            resnet.DEFAULT_STAGES,
            resnet.topology,
        ),
        Architecture(
            "reactnet",
            "3x3 and 1x1 convolutions with shortcuts, RSign and RPReLU",
            reactnet.DEFAULT_WIDTH,
            reactnet.DEFAULT_DEPTH,
            reactnet.DEFAULT_STAGES,
            reactnet.topology,
        ),
    )
}


def architecture(name: str) -> Architecture:
    """The architecture called ``name``.

    Raises:
        RbnnError: there is none.
    """
    known = f"This version knows: {', '.join(ARCHITECTURES)}."
    if name not in ARCHITECTURES and is_network_file(name):
        raise RbnnError(
            f"{name} is a file; only rbnn train and rbnn nets take a network of your own.", known
        )
    if name not in ARCHITECTURES:
        raise RbnnError(f"Unknown architecture {name!r}.", known)
    return ARCHITECTURES[name]


def lay_out(
    name: str,
    input_shape: Shape,
    max_classes: int,
    width: int | None = None,
    depth: int | None = None,
    stages: int | None = None,
    stem_bits: int = 1,
    classifier_bits: int = 1,
) -> Topology:
    """The layers of a network.

    Args:
        name: of the architecture.
        input_shape: height, width, channels.
        max_classes: outputs of the last layer.
        width: channels of the first stage; None for the architecture's default.
        depth: convolutions or blocks; None for the architecture's default.
        stages: None for the architecture's default.
        stem_bits: of the first layer's weights, 1 or 8; those of 8 bits belong to a task.
        classifier_bits: of the last layer's weights, as ``stem_bits``.

    Raises:
        RbnnError: an unknown architecture, or an option that does not work.
    """
    chosen = architecture(name)
    if chosen.stages is None:
        if stages is not None:
            raise RbnnError(
                f"The stages of {name} are fixed. Received: {stages}.",
                "Leave --stages out, or choose --arch resnet or reactnet.",
            )
        options = {}
    else:
        options = {"stages": chosen.stages if stages is None else stages}
    binary = chosen.lay_out(
        input_shape,
        max_classes,
        chosen.width if width is None else width,
        chosen.depth if depth is None else depth,
        **options,
    )
    return binary.with_own_weights(stem_bits > 1, classifier_bits > 1)
