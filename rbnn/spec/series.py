"""How a sensor's values become a network's input; ``rbnn.tasks.series``."""

from __future__ import annotations

MIDDLE = 128
"""What a channel's mean becomes."""
STEPS_PER_DEVIATION = 32
"""Steps of the input for a standard deviation: four of them either way are all that it shows."""
