"""A Bi-Real ResNet: 3x3 binary convolutions, each with a shortcut around it.

With width w, depth 6, 2 stages and 32x32 input: stem w with its pool, 3 convolutions of w at 16x16,
one of 2w and stride 2, 2 of 2w at 8x8, global average, dense. A third stage has 4w at 4x4, a fourth
8w at 2x2: a convolution there holds four times the bits of one a stage earlier, at the same cost.

Source: Liu et al., "Bi-Real Net", ECCV 2018; Qiu et al., arXiv 2105.03822, section V (ResNet as one
of the three shapes).
"""

from __future__ import annotations

from rbnn.nets.residual_stack import ResidualStack, check_stages, stage_depths
from rbnn.nets.shape_rules import LARGEST_CHANNELS, check_depth, check_width
from rbnn.nets.topology import Shape, Topology

DEFAULT_WIDTH = 64
DEFAULT_DEPTH = 6
DEFAULT_STAGES = 2
MOST_DEPTH = 48
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
        depth: binary convolutions, divided among the stages, a remainder among the last ones; the
            first convolution of every later stage halves the picture.
        stages: 2 to 4.

    Raises:
        RbnnError: a width, depth, number of stages or input size that does not work.
    """
    check_stages("resnet", input_shape, stages)
    check_width("resnet", width, LARGEST_CHANNELS >> (stages - 1))
    check_depth("resnet", depth, stages, MOST_DEPTH)
    stack = ResidualStack(input_shape)
    stack.stem(width)
    for stage, convolutions in enumerate(stage_depths(depth, stages)):
        for number in range(convolutions):
            stack.convolve(width << stage, KERNEL, stride=2 if stage and not number else 1)
    return stack.end("resnet", max_classes)
