"""Enrol, license and install: for every line of a fleet's table, whatever became of the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from rbnn.device import deploy
from rbnn.device.deploy import Prepared
from rbnn.device.emulated.target import EmulatedTarget
from rbnn.device.fleet.lines import Line
from rbnn.device.fleet.progress import Progress
from rbnn.device.source import Source
from rbnn.device.target import Say, Target
from rbnn.device.targets import find_target
from rbnn.errors import RbnnError
from rbnn.frozen import Frozen
from rbnn.image.board import load_board
from rbnn.keys.provider_key import ProviderKey
from rbnn.keys.registry import Registry
from rbnn.keys.user_key import UserKey, load_user_key
from rbnn.tasks.names import split_names

Outcome = Literal["done", "skipped", "ready", "failed"]


class LineResult(Frozen):
    """What became of a line; ``ready`` if a dry run found nothing wrong with it."""

    line: int
    name: str
    board: str
    outcome: Outcome
    device: str = ""
    """X25519 public key, hexadecimal."""
    licences: tuple[deploy.FlashedLicence, ...] = ()
    error: str = ""
    fix: str = ""


@dataclass
class Fleet:
    """The boards of a table.

    Args:
        source: what they get.
        folder: of the emulated boards; each has one named for its device.
        state: file of the progress.
        progress: what was done so far.
        say: told each step.
        pause: asks for the next board at a port, and returns when it is there.
        emulated: emulate every board.
    """

    source: Source
    folder: Path
    state: Path
    progress: Progress
    say: Say
    pause: Say
    emulated: bool = False
    _prepared: dict[str, Prepared | RbnnError] = field(default_factory=dict)
    _places: set[str] = field(default_factory=set)

    def rehearse(self, lines: Sequence[Line]) -> list[LineResult]:
        """Check every line without touching a board or issuing a licence."""
        return self._each(lines, lambda line: self._result(line, "ready", self._inputs(line)[0]))

    def provision(self, lines: Sequence[Line], registry: Registry) -> list[LineResult]:
        """Provision the boards that are not done yet; a line that fails stops no other one.

        Args:
            lines: of the table.
            registry: receives devices and licences.

        Raises:
            RbnnError: the provider's key cannot be read, or the progress cannot be written.
        """
        provider = self.source.provider()
        return self._each(lines, lambda line: self._provision(line, registry, provider))

    def _each(self, lines: Sequence[Line], act: Callable[[Line], LineResult]) -> list[LineResult]:
        results = []
        for count, line in enumerate(lines, start=1):
            place = f"[{count}/{len(lines)}] {line.label}"
            if self.progress.has(line):
                self.say(f"{place}: was done before.")
                results.append(self._result(line, "skipped"))
                continue
            self.say(f"{place}: line {line.number}.")
            try:
                if line.problem:
                    raise RbnnError(line.problem, f"Correct line {line.number}.")
                result = act(line)
            except (RbnnError, OSError) as error:
                self.say(f"{place}: failed: {error}")
                known = error if isinstance(error, RbnnError) else RbnnError(str(error))
                result = self._result(line, "failed", error=known.what, fix=known.fix)
            if result.outcome == "done":
                self.say(f"{place}: done.")
                self.progress = self.progress.with_line(line, result.device)
                self.progress.write(self.state)
            results.append(result)
        return results

    def _result(
        self,
        line: Line,
        outcome: Outcome,
        target: Target | None = None,
        report: deploy.FlashReport | None = None,
        error: str = "",
        fix: str = "",
    ) -> LineResult:
        done = self.progress.done.get(line.name) if outcome == "skipped" else None
        return LineResult(
            line=line.number,
            name=line.name,
            board=line.board if target is None else target.board.name,
            outcome=outcome,
            device=report.device if report is not None else (done.device if done else ""),
            licences=() if report is None else report.licences,
            error=error,
            fix=fix,
        )

    def _inputs(self, line: Line) -> tuple[Target, UserKey, list[str]]:
        """What a line names.

        Raises:
            RbnnError: one of it is not there.
        """
        board = load_board(line.board)
        is_emulated = self.emulated or board.is_emulated_only
        target = find_target(
            board,
            port=None if self.emulated else line.port or None,
            folder=self.folder / line.name if is_emulated else None,
            emulated=self.emulated,
            say=self.say,
        )
        key = load_user_key(Path(line.user_key), prompt=False)
        names = self.source.choose_tasks(split_names(line.tasks or None))
        target.check()
        return target, key, names

    def _provision(self, line: Line, registry: Registry, provider: ProviderKey) -> LineResult:
        self._ask_for(line)
        target, key, names = self._inputs(line)
        if not isinstance(target, EmulatedTarget):
            return self._flash(line, target, provider, key, registry, names)
        target.stays_on = False  # unlike elsewhere: a fleet of them would fill the memory
        try:
            return self._flash(line, target, provider, key, registry, names)
        finally:
            target.emulator.power_off()

    def _ask_for(self, line: Line) -> None:
        """Wait for a real board whose port had another one before, and ask nothing of it yet: its
        debug probe is found by what is plugged in now."""
        board = load_board(line.board)
        if self.emulated or board.is_emulated_only:
            return
        place = f"port {line.port}" if line.port else f"USB, of the kind {board.name}"
        if place in self._places:
            self.pause(f"Plug in the board {line.name} ({place}), and unplug the one before")
        self._places.add(place)

    def _flash(
        self,
        line: Line,
        target: Target,
        provider: ProviderKey,
        key: UserKey,
        registry: Registry,
        names: list[str],
    ) -> LineResult:
        prepared = self._prepare(target, provider)
        report = deploy.flash(
            prepared, target, provider, key, registry, names, self.say, name=line.name
        )
        return self._result(line, "done", target, report)

    def _prepare(self, target: Target, provider: ProviderKey) -> Prepared:
        """The firmware for this kind of board, built once."""
        name = target.board.name
        if name not in self._prepared:
            try:
                self._prepared[name] = self.source.prepare(target, provider)
            except RbnnError as error:
                self._prepared[name] = error
        found = self._prepared[name]
        if isinstance(found, RbnnError):
            raise found
        return found


def failure(results: Sequence[LineResult]) -> RbnnError | None:
    """What to say if lines failed; None if none did."""
    failed = [one for one in results if one.outcome == "failed"]
    if not failed:
        return None
    listed = "; ".join(f"line {one.line} ({one.name or 'no name'}): {one.error}" for one in failed)
    return RbnnError(
        f"{len(failed)} of {len(results)} lines failed. {listed}",
        "Fix them, and run the same command again: lines that are done are skipped.",
    )
