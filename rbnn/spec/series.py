"""How a sensor's values become a network's input, and what a sealed block says of it;
``rbnn.tasks.sensors.series``."""

from __future__ import annotations

from dataclasses import dataclass

from rbnn.spec.structs import Field, Record

MIDDLE = 128
"""What a channel's mean becomes."""
STEPS_PER_DEVIATION = 32
"""Steps of the input for a standard deviation: four of them either way are all that it shows."""
MAX_SERIES_CHANNELS = 64
"""Channels of a sensor whose windows are a network's input."""
MAX_SERIES_STEPS = 65535
"""Time steps of a window, and from one window to the next."""
SERIES_ALIGNMENT = 4
SERIES = Record(
    "series",
    "Follows the class names, at the next multiple of 4, of a task with the front end series; then "
    "means (f32) of all channels, then their factors (f32).",
    (
        Field("channels", "u16", "of the sensor, 1 to MAX_SERIES_CHANNELS"),
        Field("window", "u16", "time steps of an input"),
        Field("hop", "u16", "time steps from one window to the next, as in training"),
        Field("zero", "u16", "zero"),
    ),
)


@dataclass(frozen=True)
class Series:
    """How windows of a series become inputs.

    Args:
        window: time steps of a window.
        hop: time steps from one window of a recording to the next.
        means: of each channel, single precision.
        factors: steps of the input for one unit of each channel, single precision.
    """

    window: int
    hop: int
    means: tuple[float, ...]
    factors: tuple[float, ...]

    @property
    def channels(self) -> int:
        """Channels of the sensor."""
        return len(self.means)

    def starts(self, steps: int) -> range:
        """First time steps of the windows of a recording."""
        return range(0, steps - self.window + 1, self.hop)
