"""ReActNet: blocks of a 3x3 and a 1x1 binary convolution, with learnt shifts around every sign.

With width w, depth 5, 2 stages and 32x32 input: stem w with its pool, 2 blocks of w at 16x16, one
that halves the picture and doubles the channels, 2 of 2w at 8x8, global average, dense. A third
stage has 4w at 4x4, a fourth 8w at 2x2. Every convolution has a shortcut, RPReLU on its stream and
RSign where its bits are read.

Source: Liu et al., "ReActNet: Towards Precise Binary Neural Network with Generalized Activation
Functions", ECCV 2020, figure 4; Qiu et al., arXiv 2105.03822, section V.
"""

from __future__ import annotations

from rbnn.nets.residual_stack import ResidualStack, check_stages, stage_depths
from rbnn.nets.shape_rules import LARGEST_CHANNELS, check_depth, check_width
from rbnn.nets.topology import Shape, Topology
from rbnn.spec.layout import Activation, Sign

DEFAULT_WIDTH = 64
DEFAULT_DEPTH = 5
DEFAULT_STAGES = 2
MOST_DEPTH = 24
KERNEL = 3


def topology(
    input_shape: Shape,
    max_classes: int,
    width: int = DEFAULT_WIDTH,
    depth: int = DEFAULT_DEPTH,
    stages: int = DEFAULT_STAGES,
) -> Topology:
    """Lay out the network.

    Args:
        input_shape: height, width, channels; 2 + 2^stages pixels a side or more.
        max_classes: outputs of the last layer: the largest class count among the tasks.
        width: channels of the stem and of the first stage; each later one has twice as many.
        depth: blocks of two binary convolutions, divided among the stages, a remainder among the
            last ones; the first block of every later stage halves the picture.
        stages: 2 to 4.

    Raises:
        RbnnError: a width, depth, number of stages or input size that does not work.
    """
    check_stages("reactnet", input_shape, stages)
    check_width("reactnet", width, LARGEST_CHANNELS >> (stages - 1))
    check_depth("reactnet", depth, stages, MOST_DEPTH)
    stack = ResidualStack(input_shape, Activation.RPRELU, Sign.THRESHOLDS)
    stack.stem(width)
    for stage, blocks in enumerate(stage_depths(depth, stages)):
        for number in range(blocks):
            halves = stage and not number
            stack.convolve(width << (stage - 1 if halves else stage), KERNEL, 2 if halves else 1)
            stack.convolve(width << stage, 1)
    return stack.end("reactnet", max_classes)
