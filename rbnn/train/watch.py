"""Who watches a training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from rbnn.runs.figures import EpochFigures


class Watch(Protocol):
    """Observes a training."""

    def step(self, done: int, progress: float, tasks: Mapping[str, tuple[float, float]]) -> None:
        """Some steps passed: ``progress`` of the run (0 to 1), (loss, accuracy) by task."""

    def epoch(self, figures: EpochFigures) -> None:
        """An epoch is over and on disk."""
