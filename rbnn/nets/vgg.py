"""A VGG-like stack: a stem, then convolutions and pools, then one dense layer.

With width w and 32x32 input: stem w, pool, conv w, pool, conv 2w, conv 2w, pool, conv 4w, dense.
Channel counts are multiples of 32, as the kernels want them.

Source: Hubara et al., "Binarized Neural Networks", NeurIPS 2016 (the conv-pool stack); Qiu et al.,
arXiv 2105.03822, section V (VGG as one of the three shapes).
"""

from __future__ import annotations

from rbnn.errors import RbnnError
from rbnn.nets.topology import Layer, Shape, Topology
from rbnn.spec.layout import MAX_WINDOW_WORDS, Operator
from rbnn.spec.packing import WORD_BITS

DEFAULT_WIDTH = 64
KERNEL = 3
MAX_WIDTH = MAX_WINDOW_WORDS * WORD_BITS // (2 * KERNEL * KERNEL) // 32 * 32
"""The last convolution's filters see ``2 * width`` channels; a kernel gathers no longer rows."""


def topology(input_shape: Shape, max_classes: int, width: int = DEFAULT_WIDTH) -> Topology:
    """Lay out the stack.

    Args:
        input_shape: height, width, channels; height and width are multiples of 8.
        max_classes: outputs of the last layer: the largest class count among the tasks.
        width: channels of the first stage, a multiple of 32, at most ``MAX_WIDTH``.

    Raises:
        RbnnError: a width or an input size that the kernels do not serve.
    """
    if width <= 0 or width % 32:
        nearest = max(32, round(width / 32) * 32)
        raise RbnnError(
            f"vgg needs a width that is a multiple of 32. Received: {width}.",
            f"The nearest is --width {nearest}.",
        )
    if width > MAX_WIDTH:
        raise RbnnError(
            f"The device's kernels serve a vgg of width {MAX_WIDTH} at most. Received: {width}.",
            f"The largest is --width {MAX_WIDTH}.",
        )
    height, image_width, _ = input_shape
    if height % 8 or image_width % 8 or height < 8 or image_width < 8:
        raise RbnnError(
            f"vgg halves its input three times and needs sides that are multiples of 8. "
            f"Received: {height}x{image_width}."
        )
    layers: list[Layer] = []
    shape = input_shape

    def convolve(op: Operator, filters: int) -> None:
        nonlocal shape
        out = (shape[0], shape[1], filters)
        layers.append(Layer(op, shape, out, kernel=KERNEL, stride=1, pad=1))
        shape = out

    def pool() -> None:
        nonlocal shape
        out = (shape[0] // 2, shape[1] // 2, shape[2])
        layers.append(Layer(Operator.MAX_POOL, shape, out, kernel=2, stride=2))
        shape = out

    convolve(Operator.STEM, width)
    pool()
    convolve(Operator.CONV, width)
    pool()
    convolve(Operator.CONV, 2 * width)
    convolve(Operator.CONV, 2 * width)
    pool()
    convolve(Operator.CONV, 4 * width)
    layers.append(Layer(Operator.DENSE, shape, (1, 1, max_classes)))
    return Topology("vgg", input_shape, max_classes, tuple(layers))
