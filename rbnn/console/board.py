"""The board that a console holds: one serial line, and one thing at a time."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from rbnn.console.figures import (
    ActiveView,
    Answer,
    ConsoleState,
    EventLog,
    Problem,
    ProfileAnswer,
)
from rbnn.device.errors import DeviceError, EmulatorError, LinkError, PortError
from rbnn.device.inference import active_input, infer_sample
from rbnn.device.profile import profile_active
from rbnn.device.session import Session
from rbnn.device.status import PROTECTIONS, BoardStatus, session_status
from rbnn.device.switching import find_task, switch_task, unlock_task
from rbnn.device.target import Target
from rbnn.errors import RbnnError
from rbnn.keys.errors import UserKeyError
from rbnn.keys.user_key import UserKey
from rbnn.spec.status import Status
from rbnn.tasks.errors import TaskError
from rbnn.tasks.sample import decode_samples, named_kind
from rbnn.tasks.thumbnail import picture_uri

GONE = (LinkError, PortError, EmulatorError)
"""Errors after which the line is of no use."""
PATIENCE_S = 0.3
"""How long a question about the state waits for a board that works."""


class HeldBoard:
    """A board that other programs cannot use as long as it is connected.

    May be called by several threads; each call waits for those before it.

    Args:
        target: the board.
        user_key: reads the key that opens its licences; None if the user gave none.
        runs: folder of all runs; tells whether a task expects pictures or sounds.
    """

    def __init__(self, target: Target, user_key: Callable[[], UserKey] | None, runs: Path) -> None:
        self.log = EventLog()
        self._target = target
        self._user_key = user_key
        self._runs = runs
        self._line = threading.Lock()
        self._session: Session | None = None
        self._problem: Problem | None = None
        self._status: BoardStatus | None = None
        self._active: ActiveView | None = None
        self._over = False

    def connect(self) -> None:
        """Take the board; nothing happens if it is connected.

        Raises:
            RbnnError: there is no such board, another program holds it, or it does not answer.
        """
        with self._line:
            if self._session is not None:
                return
            if self._over:
                raise LinkError("The console is ending.", "Start another one: rbnn console")
            try:
                self._session = self._target.open()
            except RbnnError as error:
                self._drop(error)
                self.log.failed("Connecting", error)
                raise
            self._problem = self._active = None
            self.log.done(f"Connected to {self._target.board.name} on {self._session.line.path}.")

    def disconnect(self) -> None:
        """Leave the board to other programs."""
        with self._line:
            if self._session is not None:
                self.log.done("Disconnected: other commands can use the board now.")
            self._drop(None)

    def interrupt(self) -> None:
        """End what the board is asked at this moment, and every later attempt."""
        self._over = True
        if (session := self._session) is not None:
            session.line.interrupt()

    def state(self) -> ConsoleState:
        """What is known; the board is asked unless it works for somebody else."""
        busy = not self._line.acquire(timeout=PATIENCE_S)
        if not busy:
            try:
                if self._session is not None:
                    self._look(self._session)
                    self._problem = None
            except RbnnError as error:
                if self._problem != Problem.of(error):  # which is shown already
                    self.log.failed("", error)
                self._problem = Problem.of(error)
                if isinstance(error, GONE):
                    self._drop(error)
            finally:
                self._line.release()
        identity = self._status.identity if self._status else None
        return ConsoleState(
            board=self._target.board.name,
            emulated=self._target.emulation is not None,
            connected=self._session is not None,
            busy=busy,
            problem=self._problem,
            has_key=self._user_key is not None,
            protection=PROTECTIONS[identity.protection] if identity else "",
            status=self._status,
            active=self._active,
            events=self.log.newest_first(),
        )

    def unlock(self, name: str) -> None:
        """Open the licence of a task with the user's key.

        Raises:
            RbnnError: no such task, no key, no licence, or it does not open.
        """
        with self._talking(f"Unlocking {name}") as session, self._naming_the_console():
            find_task(session, name)
            unlock_task(session, name, self._user_key)
            self.log.done(f"Unlocked {name}.")

    def switch(self, name: str) -> None:
        """Make a task the active one, and unlock it first if it is locked.

        Raises:
            RbnnError: as :meth:`unlock`.
        """
        with self._talking(f"Switching to {name}") as session, self._naming_the_console():
            locked = find_task(session, name).state in ("locked", "unlicensed")
            switched = switch_task(session, name, self._user_key if locked else None)
            how = "Unlocked and switched" if switched.unlocked_now else "Switched"
            self.log.done(f"{how} to {name}; the switch took {switched.took}.")

    def lock(self) -> None:
        """Have the board wipe every task's secret and key."""
        with self._talking("Locking") as session:
            session.lock()
            self.log.done("Locked: the board has wiped every task's secret and key.")

    def infer(self, name: str, raw: bytes, window: int = 0) -> Answer:
        """Classify a file with the active task, as ``rbnn infer`` does.

        Args:
            name: the file's.
            raw: the whole file.
            window: of a sensor series, which of its windows, counted from 0.

        Raises:
            RbnnError: the file is not one that the task takes, or the board refuses.
        """
        with self._talking(name) as session:
            active = active_input(session, self._runs)
            kind = named_kind(name, lambda: raw)
            active.require(name, kind)
            series = active.task.series
            samples = decode_samples(raw, name, active.task.input_shape, series)
            if not 0 <= window < len(samples):
                raise TaskError(
                    f"{name} has no window {window + 1}.",
                    f"It has {len(samples)}: name one of them.",
                )
            sample, step = samples[window], None if series is None else window * series.hop
            found = infer_sample(session, active.name, active.task, sample)
            share = f"{found.scores[0].score:.1%}"
            named = name if step is None else f"{name} from {step}"
            self.log.done(f"{named}: {found.task} says {found.label}, {share}; {found.took}.")
            return Answer(
                file=name,
                inference=found,
                took=found.took,
                kind=kind,
                picture=picture_uri(sample, kind),
                note="" if active.kind else active.unknown_kind(self._runs),
                window=window,
                windows=len(samples),
                step=step,
            )

    def profile(self) -> ProfileAnswer:
        """Measure every layer of the active task's network; two inferences.

        Raises:
            RbnnError: no task is active, or the firmware is a release build.
        """
        with self._talking("Measuring the layers") as session:
            name = next((one.name for one in session.tasks() if one.state == "active"), None)
            if name is None:
                raise DeviceError(Status.NO_ACTIVE_TASK, Status.NO_ACTIVE_TASK.text, "trace")
            found = profile_active(session, name, self._target.emulation)
            mark = "" if self._target.emulation is None else "emulated"
            marked = f" ({mark})" if mark else ""
            self.log.done(f"Measured {name}: {found.counts:,} {found.unit}{marked}.")
            return ProfileAnswer(profile=found, mark=mark)

    @contextlib.contextmanager
    def _talking(self, what: str) -> Iterator[Session]:
        """The open session, for one thing; ``what`` names it if it fails."""
        with self._line:
            if self._session is None:
                raise LinkError("The board is not connected.", "Connect it again.")
            try:
                yield self._session
            except RbnnError as error:
                self.log.failed(what, error)
                if isinstance(error, GONE):
                    self._drop(error)
                raise
            except BaseException:  # an answer may still be on its way
                self._drop(None)
                raise

    @contextlib.contextmanager
    def _naming_the_console(self) -> Iterator[None]:
        """A missing key is one that this command was not given."""
        try:
            yield
        except UserKeyError as error:
            if self._user_key is None:
                error.fix = "End the console with Ctrl-C, and start it with --user-key PATH."
            raise

    def _look(self, session: Session) -> None:
        """Ask for the state. What a task takes is asked once for each that becomes active."""
        self._status = session_status(session)
        name = next((one.name for one in self._status.tasks if one.state == "active"), None)
        if name is None:
            self._active = None
        elif self._active is None or self._active.name != name:
            found = active_input(session, self._runs)
            self._active = ActiveView(
                name=name,
                classes=len(found.task.labels),
                channels=found.task.input_shape[2],
                kind=found.kind,
            )

    def _drop(self, why: RbnnError | None) -> None:
        """Release the line. What the board said before is no longer shown as its state."""
        if self._session is not None:
            self._session.close()
        self._session = None
        self._problem = None if why is None else Problem.of(why)
        self._status = self._active = None
