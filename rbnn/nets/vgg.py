"""A VGG-like stack: a stem, then convolutions and pools, then one dense layer.

With width w, depth 4 and 32x32 input: stem w with its pool, conv w, pool, conv 2w, conv 2w, pool,
conv 4w, dense.

Source: Hubara et al., "Binarized Neural Networks", NeurIPS 2016 (the conv-pool stack); Qiu et al.,
arXiv 2105.03822, section V (VGG as one of the three shapes).
"""

from __future__ import annotations

from typing import Any

from rbnn.nets.shape_rules import check_depth, check_sides, check_width
from rbnn.nets.topology import Layer, Shape, Topology
from rbnn.spec import operators
from rbnn.spec.layout import Output, Stage

DEFAULT_WIDTH = 64
DEFAULT_DEPTH = 4
LEAST_DEPTH = 3
MOST_DEPTH = 48
KERNEL = 3
HALVINGS = 3


def topology(
    input_shape: Shape,
    max_classes: int,
    width: int = DEFAULT_WIDTH,
    depth: int = DEFAULT_DEPTH,
) -> Topology:
    """Lay out the stack.

    Args:
        input_shape: height, width, channels; 8 pixels a side or more. A pool leaves out what
            is left over at the right and at the bottom.
        max_classes: outputs of the last layer: the largest class count among the tasks.
        width: channels of the first stage; the second has twice, the third four times as many.
        depth: binary convolutions, divided among the three stages; a remainder goes to the second,
            then to the third.

    Raises:
        RbnnError: a width, a depth or an input size that does not work.
    """
    check_width("vgg", width)
    check_depth("vgg", depth, LEAST_DEPTH, MOST_DEPTH)
    check_sides("vgg", input_shape, 2**HALVINGS)
    layers: list[Layer] = []
    shape = input_shape

    def add(op: operators.Operator, out_shape: Shape, **members: Any) -> None:
        nonlocal shape
        layers.append(Layer(op, shape, out_shape, len(layers) - 1, **members))
        shape = out_shape

    def convolve(filters: int) -> None:
        add(
            operators.CONV,
            (shape[0], shape[1], filters),
            kernel=KERNEL,
            pad=1,
            stage=Stage.THRESHOLD,
            output=Output.BITS,
        )

    add(
        operators.STEM,
        (shape[0] // 2, shape[1] // 2, width),
        kernel=KERNEL,
        pad=1,
        pool=2,
        stage=Stage.THRESHOLD,
        output=Output.BITS,
    )
    for stage, convolutions in enumerate(stage_convolutions(depth)):
        if stage:
            halved = (shape[0] // 2, shape[1] // 2, shape[2])
            add(operators.MAX_POOL, halved, kernel=2, stride=2, output=Output.BITS)
        for _ in range(convolutions):
            convolve(width << stage)
    add(operators.DENSE, (1, 1, max_classes))
    return Topology("vgg", input_shape, max_classes, tuple(layers))


def stage_convolutions(depth: int) -> tuple[int, int, int]:
    """How many convolutions each of the three stages has."""
    each, rest = divmod(depth, 3)
    return each, each + (rest >= 1), each + (rest == 2)
