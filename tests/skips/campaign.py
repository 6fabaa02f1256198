"""What happens if one instruction is left out: every instruction that a session executes.

Each instruction is left out at its first and at its last execution within a step of the session;
then the session goes on. An instruction that is executed once is left out once.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from emulated_core import EmulatedCore, End, Snapshot

IT_BLOCK, IT_MASK = 0xBF00, 0x000F


@dataclass(frozen=True)
class Step:
    """One command of a session; empty for the start.

    Args:
        name: for the report.
        commands: what is sent, one after the other.
        skipped: whether its instructions are left out, one at a time.
    """

    name: str
    commands: tuple[bytes, ...]
    skipped: bool = False


@dataclass(frozen=True)
class Place:
    """An instruction, and where a run stops to leave it out: at itself, or at the start of the
    IT block that holds it, whose end the run then reaches."""

    address: int
    size: int
    start: int
    end: int


@dataclass(frozen=True)
class Skip:
    """One instruction left out once."""

    step: str
    address: int
    execution: int


@dataclass
class Outcome:
    """What a session with one instruction left out led to."""

    skip: Skip
    end: End
    printed: list[str] = field(repr=False)
    ram: bytes = field(repr=False)


def size_of(core: EmulatedCore, address: int) -> int:
    """Bytes of the instruction at ``address``."""
    return 4 if core.halfword(address) >> 11 in (0b11101, 0b11110, 0b11111) else 2


def conditional(core: EmulatedCore, address: int) -> int:
    """How many instructions the IT instruction at ``address`` is for; 0 if it is none."""
    word = core.halfword(address)
    mask = word & IT_MASK
    if word & 0xFF00 != IT_BLOCK or mask == 0:
        return 0
    return 4 - (mask & -mask).bit_length() + 1


def executed(core: EmulatedCore, blocks: Counter[tuple[int, int]]) -> Counter[Place]:
    """How often each instruction of some basic blocks was reached."""
    times: Counter[int] = Counter()
    for (start, size), count in blocks.items():
        address = start
        while address < start + size:
            times[address] += count
            address += size_of(core, address)
    places: dict[int, Place] = {}
    for head in sorted(times):
        members = [head]
        for _ in range(conditional(core, head)):
            members.append(members[-1] + size_of(core, members[-1]))
        end = members[-1] + size_of(core, members[-1])
        for address in members[1:]:
            places[address] = Place(address, size_of(core, address), head, end)
    found: Counter[Place] = Counter()
    for address in times:
        size = size_of(core, address)
        place = places.get(address, Place(address, size, address, address + size))
        found[place] = times[place.start]
    return found


class Session:
    """A session of a freshly powered device, with its state before every step.

    Args:
        core: that device.
        steps: what is done, the start first.
    """

    def __init__(self, core: EmulatedCore, steps: Sequence[Step]) -> None:
        self.core, self.steps = core, steps
        self._before: list[Snapshot] = []
        self.places: list[Counter[Place]] = []
        self.printed: list[str] = []
        for step in steps:
            self._before.append(core.save())
            blocks: Counter[tuple[int, int]] = Counter()
            for command in step.commands:
                core.feed(command)
                if step.skipped:
                    blocks += core.trace()
                elif (end := core.run()) is not End.WAITS:
                    raise AssertionError(f"without a skip, {step.name} {end.value}")
            self.places.append(executed(core, blocks))
            self.printed.append(core.printed.decode())
            core.printed.clear()

    def skips(self) -> Iterator[Skip]:
        """All that are tried."""
        for step, places in zip(self.steps, self.places, strict=True):
            for place, times in sorted(places.items(), key=lambda item: item[0].address):
                for execution in sorted({1, times}):
                    yield Skip(step.name, place.address, execution)

    def run(self, skip: Skip, leave_out: bool = True) -> Outcome:
        """The session with one instruction left out; or with a stop there only."""
        number = [step.name for step in self.steps].index(skip.step)
        (place,) = [one for one in self.places[number] if one.address == skip.address]
        core = self.core
        core.restore(self._before[number])
        commands = [command for step in self.steps[number:] for command in step.commands]
        core.feed(commands[0])
        end = core.run_to(place.start, skip.execution)
        if end is not None:
            raise AssertionError(f"{skip} is not reached: the device {end.value}")
        if leave_out:
            end = core.run_without(place.address, place.size, place.end)
        end = end or core.run()
        for command in commands[1:]:
            if end is not End.WAITS:
                break
            core.feed(command)
            end = core.run()
        printed = core.printed.decode("ascii", errors="replace").split("\r\n")
        return Outcome(skip, end, printed, core.ram())


Verdicts = dict[str, list[Skip]]
"""The skips that led to each verdict."""


def campaign(session: Session, skips: Sequence[Skip], judge: Callable[[Outcome], str]) -> Verdicts:
    """Leave out one instruction after the other."""
    verdicts: Verdicts = defaultdict(list)
    for skip in skips:
        verdicts[judge(session.run(skip))].append(skip)
    return verdicts
