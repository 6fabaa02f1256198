"""What the page is told, as documents."""

from __future__ import annotations

import threading
from collections import deque
from datetime import UTC, datetime
from typing import Literal

from rbnn.device.inference import TaskInference
from rbnn.device.profile import Profile
from rbnn.device.status import BoardStatus
from rbnn.errors import RbnnError
from rbnn.frozen import Frozen
from rbnn.tasks.dataset import Kind

KEPT_EVENTS = 200


class Problem(Frozen):
    """An error of the library, as every command prints it."""

    what: str
    fix: str

    @classmethod
    def of(cls, error: RbnnError) -> Problem:
        """The two lines of an error."""
        return cls(what=error.what, fix=error.fix)


class Event(Frozen):
    """Something that happened while the console ran."""

    number: int
    at: datetime
    kind: Literal["done", "failed"]
    text: str
    fix: str = ""


class ActiveView(Frozen):
    """The active task, and what it takes; ``kind`` is None if that is not known here."""

    name: str
    classes: int
    channels: int
    kind: Kind | None


class ConsoleState(Frozen):
    """All that the page shows without being asked. ``status`` is what the board said last."""

    board: str
    emulated: bool
    connected: bool
    busy: bool
    """Whether the board works for somebody, so that it could not be asked for its state."""
    problem: Problem | None
    """Why it is not connected, if something went wrong."""
    has_key: bool
    """Whether the console was given a user key."""
    protection: str
    """What the state of the chip's read-out protection means."""
    status: BoardStatus | None
    active: ActiveView | None
    events: tuple[Event, ...]
    """Newest first."""


class Answer(Frozen):
    """The board's result for one file."""

    file: str
    inference: TaskInference
    took: str
    kind: Kind
    picture: str
    """What the network got, as a data URI of a picture."""
    note: str
    """What the user should know about it; may be empty."""
    window: int = 0
    """Of a sensor series, which window was looked at, counted from 0."""
    windows: int = 1
    """How many the file has."""
    step: int | None = None
    """Of a sensor series, the first time step of the window."""


class ProfileAnswer(Frozen):
    """Where an inference spends its time."""

    profile: Profile
    mark: str
    """``emulated`` if the counts are those of an emulated core, otherwise empty."""


class EventLog:
    """The last things that happened; may be used by several threads."""

    def __init__(self) -> None:
        self._events: deque[Event] = deque(maxlen=KEPT_EVENTS)
        self._lock = threading.Lock()
        self._count = 0

    def done(self, text: str) -> None:
        """Something worked."""
        self._add("done", text, "")

    def failed(self, text: str, error: RbnnError) -> None:
        """Something did not work; ``text`` is left out where the error begins with it."""
        named = error.what.startswith(text)
        self._add("failed", error.what if named else f"{text}: {error.what}", error.fix)

    def newest_first(self) -> tuple[Event, ...]:
        """All events that are kept."""
        with self._lock:
            return tuple(reversed(self._events))

    def _add(self, kind: Literal["done", "failed"], text: str, fix: str) -> None:
        with self._lock:
            self._count += 1
            now = datetime.now(UTC)
            self._events.append(Event(number=self._count, at=now, kind=kind, text=text, fix=fix))
