"""ReActNet: blocks of a 3x3 and a 1x1 binary convolution, with learnt shifts around every sign.

With width w, depth 5 and 32x32 input: stem w with its pool, 2 blocks of w at 16x16, one that halves
the picture and doubles the channels, 2 of 2w at 8x8, global average, dense. Every convolution has a
shortcut, RPReLU on its stream and RSign where its bits are read.

Source: Liu et al., "ReActNet: Towards Precise Binary Neural Network with Generalized Activation
Functions", ECCV 2020, figure 4; Qiu et al., arXiv 2105.03822, section V.
"""

from __future__ import annotations

from rbnn.nets.residual_stack import SIDES, ResidualStack
from rbnn.nets.shape_rules import check_depth, check_square_side, check_width
from rbnn.nets.topology import Shape, Topology
from rbnn.spec.layout import Activation, Sign

DEFAULT_WIDTH = 64
DEFAULT_DEPTH = 5
LEAST_DEPTH = 2
MOST_DEPTH = 24
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
        depth: blocks of two binary convolutions: one halves the picture, the others stand before
            and behind it.

    Raises:
        RbnnError: a width, a depth or an input size that does not work.
    """
    check_width("reactnet", width)
    check_depth("reactnet", depth, LEAST_DEPTH, MOST_DEPTH)
    check_square_side("reactnet", input_shape, SIDES)
    stack = ResidualStack(input_shape, Activation.RPRELU, Sign.THRESHOLDS)
    stack.stem(width)
    for _ in range(depth // 2):
        stack.convolve(width, KERNEL)
        stack.convolve(width, 1)
    stack.convolve(width, KERNEL, stride=2)
    stack.convolve(2 * width, 1)
    for _ in range((depth - 1) // 2):
        stack.convolve(2 * width, KERNEL)
        stack.convolve(2 * width, 1)
    return stack.end("reactnet", max_classes)
