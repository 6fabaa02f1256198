"""When a training is expected to end, by its speed so far."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime

from rbnn.train.interrupt import CLOCK

DAY_SECONDS = 24 * 3600


class Outlook:
    """The expected end of one network's training, and of those that follow.

    Args:
        later: the work of the networks that follow, in units of this one's.
        until: when the training will be stopped; None for never.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        later: float = 0.0,
        until: datetime | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._later = later
        self._until = until
        self._clock = clock
        self._first: tuple[float, float] | None = None
        self._last: tuple[float, float] | None = None

    def see(self, progress: float) -> None:
        """Record how far the network is, 0 to 1.

        Speed is measured from the first call on: the first step takes longer than others, and a
        resumed run starts in the middle.
        """
        self._last = (self._clock(), progress)
        self._first = self._first or self._last

    def end(self, later: bool = False) -> float | None:
        """When this network will be done, in seconds since the epoch; None if not known yet.

        Args:
            later: with those that follow.
        """
        if self._first is None or self._last is None or self._last[1] <= self._first[1]:
            return None
        speed = (self._last[1] - self._first[1]) / max(self._last[0] - self._first[0], 1e-9)
        left = max(1 - self._last[1], 0.0) + (self._later if later else 0.0)
        return self._last[0] + left / speed

    def words(self) -> str:
        """The expected end, such as ``ends about 14:32, everything about 18:05``."""
        own = self.end()
        if own is None:
            return "end not known yet"
        text = f"ends about {self._show(own)}"
        whole = self.end(later=True)
        if self._later and whole is not None:
            text += f", everything about {self._show(whole)}"
        if self._until is not None and whole is not None and self._until.timestamp() < whole:
            text += f", stops at {self._show(self._until.timestamp())}"
        return text

    def _show(self, moment: float) -> str:
        day = "%a " if moment - self._clock() > DAY_SECONDS / 2 else ""
        return datetime.fromtimestamp(moment).strftime(day + CLOCK)


def later_work(costs: Sequence[float]) -> list[float]:
    """For each network in turn, the work of those after it, in units of its own.

    Args:
        costs: of the networks, in the order of their training.
    """
    return [sum(costs[number + 1 :]) / cost for number, cost in enumerate(costs)]
