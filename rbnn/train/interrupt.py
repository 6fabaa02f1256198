"""What stops a training between two steps: Ctrl-C, SIGTERM, or a time of day."""

from __future__ import annotations

import re
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from types import FrameType

from rbnn.runs.errors import TrainingError, TrainingInterruptedError, TrainingPausedError

CLOCK = "%H:%M"
CAUGHT = (signal.SIGINT, signal.SIGTERM)
"""Ctrl-C, and what Slurm, systemd and ``timeout`` send."""


def parse_until(text: str, now: datetime | None = None) -> datetime:
    """The next time that a clock shows ``HH:MM``, in local time.

    Args:
        text: as typed.
        now: for tests.

    Raises:
        TrainingError: it is no time of day.
    """
    if not re.fullmatch(r"([01]?[0-9]|2[0-3]):[0-5][0-9]", text):
        raise TrainingError(
            f"--until must be a time of day, HH:MM. Received: {text!r}.", "For example: 07:30"
        )
    start = now or datetime.now()
    hour, minute = map(int, text.split(":"))
    today = start.replace(hour=hour, minute=minute, second=0, microsecond=0)
    return today if today > start else today + timedelta(days=1)


def is_due(until: datetime | None) -> bool:
    """Whether a time has come; never for None."""
    return until is not None and time.time() >= until.timestamp()


class StopRequest:
    """Whether to stop after this step.

    Args:
        until: stop at this time; None for never.
    """

    def __init__(self, until: datetime | None = None) -> None:
        self._until = until
        self._signal: int | None = None

    def press(self, number: int) -> None:
        """A signal came."""
        self._signal = number

    @property
    def wanted(self) -> bool:
        """Whether a signal came, or the time."""
        return self._signal is not None or is_due(self._until)

    def stopped(self, where: str, command: str) -> TrainingInterruptedError:
        """The error that ends the training.

        Args:
            where: what was done last, after ``Stopped``.
            command: that continues.
        """
        # Another worker's clock may be ahead of this one's.
        if self._until is None or self._signal is not None:
            number = self._signal or signal.SIGINT
            return TrainingInterruptedError(
                f"Stopped {where}; it is saved.", command, exit_code=128 + number
            )
        return TrainingPausedError(
            f"Stopped at {datetime.now().strftime(CLOCK)} {where}; it is saved.", command
        )


@contextmanager
def caught_interrupts(until: datetime | None = None) -> Iterator[StopRequest]:
    """Remember the first Ctrl-C or SIGTERM in the yielded object; the second one acts as usual.

    Outside the main thread, where signals cannot be caught, only the time counts.

    Args:
        until: the time at which to stop, too.
    """
    wanted = StopRequest(until)
    if threading.current_thread() is not threading.main_thread():
        yield wanted
        return
    previous = {number: signal.getsignal(number) for number in CAUGHT}

    def restore() -> None:
        for number, handler in previous.items():
            signal.signal(number, handler)

    def remember(number: int, frame: FrameType | None) -> None:
        wanted.press(number)
        restore()

    for number in CAUGHT:
        signal.signal(number, remember)
    try:
        yield wanted
    finally:
        restore()
