"""What the architectures require of their options; errors have one wording."""

from __future__ import annotations

from rbnn.errors import RbnnError
from rbnn.nets.topology import Shape

LARGEST_WIDTH = 1024
LARGEST_CHANNELS = 4 * LARGEST_WIDTH
"""What the int16 sums of a 3x3 convolution hold."""


def check_width(architecture: str, width: int, largest: int = LARGEST_WIDTH) -> None:
    """Refuse a width out of range.

    Args:
        architecture: its name.
        width: channels of the first stage.
        largest: what the last stage allows.

    Raises:
        RbnnError: names the nearest width that works.
    """
    largest = min(largest, LARGEST_WIDTH)
    if not 8 <= width <= largest:
        nearest = 8 if width < 8 else largest
        raise RbnnError(
            f"{architecture} needs a width of 8 to {largest} channels. Received: {width}.",
            f"The nearest is --width {nearest}.",
        )


def check_depth(architecture: str, depth: int, least: int, most: int) -> None:
    """Refuse a depth outside ``least .. most``.

    Raises:
        RbnnError: names the nearest depth that works.
    """
    if not least <= depth <= most:
        raise RbnnError(
            f"{architecture} needs a depth of {least} to {most}. Received: {depth}.",
            f"The nearest is --depth {min(max(depth, least), most)}.",
        )


def check_sides(architecture: str, shape: Shape, least: int) -> None:
    """Refuse an input with a side below ``least``.

    Raises:
        RbnnError: names the nearest size that works.
    """
    height, width, _ = shape
    if min(height, width) < least:
        nearest = [max(side, least) for side in (height, width)]
        raise RbnnError(
            f"{architecture} needs an input of at least {least} pixels a side. "
            f"Received: {height}x{width}.",
            f"The nearest that works is {nearest[0]}x{nearest[1]}.",
        )
