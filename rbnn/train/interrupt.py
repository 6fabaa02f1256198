"""Ctrl-C and SIGTERM that wait for the current step."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

CAUGHT = (signal.SIGINT, signal.SIGTERM)
"""Ctrl-C, and what Slurm, systemd and ``timeout`` send."""


class Interrupts:
    """Whether the user, or the system, wants to stop.

    Attributes:
        wanted: whether it does.
        exit_code: of the process then: 128 and the signal's number.
    """

    def __init__(self) -> None:
        self.wanted = False
        self.exit_code = 128 + signal.SIGINT


@contextmanager
def caught_interrupts() -> Iterator[Interrupts]:
    """Remember the first Ctrl-C or SIGTERM; the second one acts as usual.

    Outside the main thread, where signals cannot be caught, none is ever remembered.
    """
    found = Interrupts()
    if threading.current_thread() is not threading.main_thread():
        yield found
        return
    previous = {number: signal.getsignal(number) for number in CAUGHT}

    def restore() -> None:
        for number, handler in previous.items():
            signal.signal(number, handler)

    def remember(number: int, frame: FrameType | None) -> None:
        found.wanted = True
        found.exit_code = 128 + number
        restore()

    for number in CAUGHT:
        signal.signal(number, remember)
    try:
        yield found
    finally:
        restore()
