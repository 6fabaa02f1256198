"""What stops a training between two steps: Ctrl-C, or a time of day."""

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


def parse_until(text: str, now: datetime | None = None) -> datetime:
    """The next time that a clock shows ``HH:MM``, in local time.

    Args:
        text: as typed.
        now: for tests.

    Raises:
        TrainingError: it is no time of day.
    """
    if not re.fullmatch(r"([01]?\d|2[0-3]):[0-5]\d", text):
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
        self._pressed = threading.Event()

    def press(self) -> None:
        """Ctrl-C."""
        self._pressed.set()

    def is_set(self) -> bool:
        """Whether a user pressed Ctrl-C, or the time has come."""
        return self._pressed.is_set() or is_due(self._until)

    def stopped(self, where: str, command: str) -> TrainingInterruptedError:
        """The error that ends the training.

        Args:
            where: what was done last, after ``Stopped``.
            command: that continues.
        """
        # Another worker's clock may be ahead of this one's.
        if self._until is None or self._pressed.is_set():
            return TrainingInterruptedError(f"Stopped {where}; it is saved.", command)
        return TrainingPausedError(
            f"Stopped at {datetime.now().strftime(CLOCK)} {where}; it is saved.", command
        )


@contextmanager
def caught_interrupts(until: datetime | None = None) -> Iterator[StopRequest]:
    """Remember the first Ctrl-C in the yielded object; the second one raises KeyboardInterrupt.

    Outside the main thread, where signals cannot be caught, only the time counts.

    Args:
        until: the time at which to stop, too.
    """
    wanted = StopRequest(until)
    if threading.current_thread() is not threading.main_thread():
        yield wanted
        return
    previous = signal.getsignal(signal.SIGINT)

    def remember(number: int, frame: FrameType | None) -> None:
        wanted.press()
        signal.signal(signal.SIGINT, previous)

    signal.signal(signal.SIGINT, remember)
    try:
        yield wanted
    finally:
        signal.signal(signal.SIGINT, previous)
