"""A caller that gives commands over a noisy line, and knows the right answer to each of them."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from noisy_line import NoisyLine

from rbnn.device.errors import DeviceError, LinkError
from rbnn.device.session import Session
from rbnn.keys.licence import Licence
from rbnn.keys.user_key import UserKey
from rbnn.spec.status import Status

QUIET, SOME, MUCH = 2e-5, 1e-4, 1e-3
"""How often noise damages a byte. (Of an input of 3,072 bytes, 6,200 pass the line.)"""
IMAGES = 4
"""Of each task."""
PATIENCE = 25
"""How often a call that ends in a named error is made again before it counts as lost."""


@dataclass
class World:
    """A licensed device.

    Args:
        psks: of each task, the key of its licence.
        images: of each task, inputs.
        licence: one that the device has already, to be given again.
    """

    psks: dict[str, bytes]
    images: dict[str, list[bytes]]
    licence: bytes

    @classmethod
    def of(cls, licences: dict[str, Licence], user: UserKey, images: dict[str, Any]) -> World:
        """A device with these licences of a user."""
        return cls(
            {task: user.psk(one.licence_id) for task, one in licences.items()},
            {task: [image.tobytes() for image in images[task][:IMAGES]] for task in licences},
            next(iter(licences.values())).data,
        )


@dataclass
class Tally:
    """What came of the commands."""

    commands: int = 0
    lost: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    slowest_s: float = 0.0

    def figure(self, line: NoisyLine) -> str:
        """One line for people."""
        named = sum(self.errors.values())
        return (
            f"{len(self.lost)} lost, {len(self.wrong)} wrong; {named} errors that the caller saw, "
            f"slowest call {self.slowest_s:.0f} s; {line.events:,} times noise in {line.bytes:,} "
            "bytes"
        )


class Caller:
    """Makes calls at random, each until it has an answer.

    Args:
        session: the device, on a line that is still quiet.
        world: what the device holds.
        seed: of the choice of calls.
    """

    def __init__(self, session: Session, world: World, seed: int) -> None:
        self.session, self.world = session, world
        self.random = random.Random(seed)
        self.tally = Tally()
        self.tasks = sorted(world.images)
        self.active = self.tasks[0]
        self.identity = session.identify()
        self.given = session.add_licence(world.licence)
        self.licences = session.licences()
        for task in self.tasks:
            session.unlock(task, world.psks[task])
        self.labels, self.scores = {}, {}
        for task in self.tasks:
            session.switch(task)
            self.labels[task] = session.active_task()
            self.scores[task] = [session.infer(image).scores for image in world.images[task]]
        session.switch(self.active)
        self.inferred = self.scores[self.active][-1]
        self._infer()

    def run(self, line: NoisyLine, commands: int) -> Tally:
        """Give so many commands while the noise of the line comes and goes."""
        while self.tally.commands < commands and not self.tally.lost:
            rate, calls = self.random.choice((QUIET, SOME, MUCH)), [*self._short(), *self._long()]
            if rate == MUCH:  # it damages every whole input
                calls = self._short()
            line.set_rate(rate)
            for _ in range(min(50, commands - self.tally.commands)):
                self.random.choice(calls)()
        line.set_rate(0.0)
        return self.tally

    def _short(self) -> list[Callable[[], None]]:
        queries = (self._identify, self._tasks, self._licences, self._labels, self._results)
        return [*queries, self._unlock, self._refused, self._unknown]

    def _long(self) -> list[Callable[[], None]]:
        often = (self._infer, self._infer, self._infer, self._switch, self._switch)
        return [*often, self._licence, self._lock]

    def _call(self, what: str, call: Callable[[], Any], right: Any) -> None:
        """Make one call until it has an answer; ``right`` is the answer, or the refusal."""
        self.tally.commands += 1
        for _ in range(PATIENCE):
            started = time.monotonic()
            try:
                got = call()
            except DeviceError as error:
                got = error.status
                if got != right:
                    self.tally.errors[f"{what}: {got and got.name}"] += 1
                    continue
            except LinkError as error:
                self.tally.errors[f"{what}: {error.what.partition('`')[0]}"] += 1
                continue
            finally:
                self.tally.slowest_s = max(self.tally.slowest_s, time.monotonic() - started)
            if got != right:
                self.tally.wrong.append(f"{what}: {got} instead of {right}")
            return
        self.tally.lost.append(what)

    def _identify(self) -> None:
        self._call("identify", self.session.identify, self.identity)

    def _tasks(self) -> None:
        states = [(task, "active" if task == self.active else "unlocked") for task in self.tasks]
        self._call(
            "tasks",
            lambda: sorted((task.name, task.state) for task in self.session.tasks()),
            sorted(states),
        )

    def _licences(self) -> None:
        self._call("licences", self.session.licences, self.licences)

    def _labels(self) -> None:
        self._call("labels", self.session.active_task, self.labels[self.active])

    def _results(self) -> None:
        self._call("results", self.session.results, self.inferred)

    def _infer(self) -> None:
        number = self.random.randrange(len(self.scores[self.active]))
        image = self.world.images[self.active][number]
        self.inferred = self.scores[self.active][number]
        self._call("infer", lambda: self.session.infer(image).scores, self.inferred)

    def _switch(self) -> None:
        self.active = self.random.choice(self.tasks)
        self._call("switch", lambda: self.session.switch(self.active) > -1, True)
        self._infer()

    def _unlock(self) -> None:
        task = self.random.choice(self.tasks)
        self._call("unlock", lambda: self.session.unlock(task, self.world.psks[task]), None)

    def _refused(self) -> None:
        call = lambda: self.session.unlock(self.active, bytes(32))  # noqa: E731
        self._call("unlock with a wrong key", call, Status.LICENCE_REFUSED)

    def _unknown(self) -> None:
        call = lambda: self.session.switch("no such task")  # noqa: E731
        self._call("switch to no task", call, Status.UNKNOWN_TASK)

    def _licence(self) -> None:
        sequence = self.given.sequence
        call = lambda: self.session.add_licence(self.world.licence).sequence  # noqa: E731
        self._call("licence", call, sequence)
        self._open()

    def _lock(self) -> None:
        self._call("lock", self.session.lock, None)
        image = self.world.images[self.active][0]
        self._call("infer while locked", lambda: self.session.infer(image), Status.NO_ACTIVE_TASK)
        self._open()

    def _open(self) -> None:
        for task in self.tasks:
            self._call("unlock", lambda t=task: self.session.unlock(t, self.world.psks[t]), None)
        self._call("switch", lambda: self.session.switch(self.active) > -1, True)
        self._infer()
