"""A Bi-Real ResNet: 3x3 binary convolutions, each with a shortcut around it.

With width w, depth 6 and 32x32 input: stem w with its pool, 3 convolutions of w at 16x16, one of
2w and stride 2, 2 of 2w at 8x8, global average, dense.

Source: Liu et al., "Bi-Real Net", ECCV 2018; Qiu et al., arXiv 2105.03822, section V (ResNet as one
of the three shapes).
"""

from __future__ import annotations

from rbnn.nets.residual_stack import SIDES, ResidualStack
from rbnn.nets.shape_rules import check_depth, check_square_side, check_width
from rbnn.nets.topology import Shape, Topology

DEFAULT_WIDTH = 64
DEFAULT_DEPTH = 6
LEAST_DEPTH = 2
MOST_DEPTH = 48
KERNEL = 3


def topology(
    input_shape: Shape,
    max_classes: int,
    width: int = DEFAULT_WIDTH,
    depth: int = DEFAULT_DEPTH,
) -> Topology:
    """Lay out the network.

    Args:
        input_shape: height, width, channels; square, 8, 16, 32 or 64 pixels a side.
        max_classes: outputs of the last layer: the largest class count among the tasks.
        width: channels of the stem and of the first stage; the second has twice as many.
        depth: binary convolutions: one halves the picture, the others stand before and behind it.

    Raises:
        RbnnError: a width, a depth or an input size that does not work.
    """
    check_width("resnet", width)
    check_depth("resnet", depth, LEAST_DEPTH, MOST_DEPTH)
    check_square_side("resnet", input_shape, SIDES)
    stack = ResidualStack(input_shape)
    stack.stem(width)
    for _ in range(depth // 2):
        stack.convolve(width, KERNEL)
    stack.convolve(2 * width, KERNEL, stride=2)
    for _ in range((depth - 1) // 2):
        stack.convolve(2 * width, KERNEL)
    return stack.end("resnet", max_classes)
