"""Ctrl-C that waits for the current step."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def caught_interrupts() -> Iterator[threading.Event]:
    """Set the yielded event on the first Ctrl-C; the second one raises KeyboardInterrupt.

    Outside the main thread, where signals cannot be caught, the event is never set.
    """
    wanted = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield wanted
        return
    previous = signal.getsignal(signal.SIGINT)

    def remember(number: int, frame: FrameType | None) -> None:
        wanted.set()
        signal.signal(signal.SIGINT, previous)

    signal.signal(signal.SIGINT, remember)
    try:
        yield wanted
    finally:
        signal.signal(signal.SIGINT, previous)
