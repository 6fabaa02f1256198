"""What the samples of a run become: height, width and channels of the network's input."""

from __future__ import annotations

import math
from dataclasses import dataclass

from rbnn.numbers import cut, whole_number
from rbnn.spec.layout import MAX_INPUT_BYTES, MAX_INPUT_CHANNELS
from rbnn.tasks.errors import TaskError

SIDE = 32
"""Height and width of an input where the user does not say; of a log-mel picture always."""
Sides = tuple[int, int]
"""Height and width."""
USUAL = (SIDE, SIDE)


@dataclass(frozen=True)
class Form:
    """What samples become.

    Args:
        height: rows.
        width: columns.
        channels: of the network's input; None for as many as the samples have.
        window: of a sensor series, its time steps; None for as many as the input holds.
        hop: time steps from one window to the next; None for half a window.
    """

    height: int = SIDE
    width: int = SIDE
    channels: int | None = None
    window: int | None = None
    hop: int | None = None

    @property
    def sides(self) -> Sides:
        """Height and width."""
        return self.height, self.width

    @property
    def recipe(self) -> dict[str, object]:
        """What cached sets depend on, besides the usual form."""
        changed = {name: value for name, value in vars(self).items() if value != _USUAL[name]}
        return {"form": changed} if changed else {}

    def __str__(self) -> str:
        channels = () if self.channels is None else (self.channels,)
        return "x".join(map(str, (*self.sides, *channels)))


_USUAL = {"height": SIDE, "width": SIDE, "channels": None, "window": None, "hop": None}


def parse_input(text: str) -> tuple[int, int, int]:
    """Read ``--input``, such as ``96x96x3``.

    Raises:
        TaskError: it is no shape, or one that no container has.
    """
    parts = [whole_number(part) for part in text.lower().split("x")]
    match parts:
        case [int(height), int(width), int(channels)] if height and width and channels:
            check_input((height, width, channels))
            return height, width, channels
    raise TaskError(
        f"An input is height x width x channels. Received: {cut(text)!r}.", "Write --input 32x32x3."
    )


def check_input(shape: tuple[int, int, int]) -> None:
    """Refuse an input that no container has.

    Raises:
        TaskError: it has too many channels, or too many bytes.
    """
    size = "x".join(map(str, shape))
    if shape[2] > MAX_INPUT_CHANNELS:
        raise TaskError(
            f"--input {size} has {shape[2]} channels; the limit is {MAX_INPUT_CHANNELS}.",
            "A sensor series may have more: its channels are laid out over rows and columns, see "
            "docs/tasks.md.",
        )
    if math.prod(shape) > MAX_INPUT_BYTES:
        raise TaskError(
            f"--input {size} has {math.prod(shape):,} bytes; the limit is {MAX_INPUT_BYTES:,} "
            "(96x96x3).",
            "Choose a smaller --input.",
        )
