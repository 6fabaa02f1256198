"""`rbnn provision` on emulated boards: good lines, bad ones, and a second call."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flashed_board import OTHER_TASK, TASK, Flashed, quiet

from rbnn.device.emulated.target import EmulatedTarget
from rbnn.device.fleet.lines import Line, read_lines
from rbnn.device.fleet.progress import read_progress, state_file
from rbnn.device.fleet.provision import Fleet, LineResult, failure
from rbnn.device.source import Source
from rbnn.device.switching import switch_task
from rbnn.errors import RbnnError
from rbnn.flash.errors import FlashError
from rbnn.image.board import load_board
from rbnn.keys.registry import Registry
from rbnn.keys.user_key import UserKey, create_user_key

pytestmark = pytest.mark.qemu


class Depot:
    """A fleet's table, keys, registry and boards."""

    def __init__(self, folder: Path, flashed: Flashed) -> None:
        self.folder = folder
        self.flashed = flashed
        self.ann, self.bob = (create_user_key(folder / f"{name}.key") for name in ("ann", "bob"))
        self.table = folder / "fleet.csv"
        self.table.write_text(
            "board,port,name,user_key,tasks\n"
            f"qemu,,hall,{folder}/ann.key,\n"
            f"qemu,,attic,{folder}/nobody.key,\n"
            f"qemu,,yard,{folder}/bob.key,{OTHER_TASK}\n"
            f"qemu,,shed,{folder}/ann.key,no-such-task\n"
            f"no-such-board,,barn,{folder}/ann.key,\n"
        )
        self.built = 0

    def _prepare(self, *_: object) -> object:
        self.built += 1
        return self.flashed.prepared

    def fleet(self) -> Fleet:
        names = tuple(task.name for task in self.flashed.container.tasks)
        source = Source(
            self.flashed.run.folder,
            names,
            lambda: self.flashed.provider,
            self._prepare,  # type: ignore[arg-type]
            lambda provider: pytest.fail("the firmware is written, too"),
        )
        state = state_file(self.table)
        progress = read_progress(state, str(source.folder))
        return Fleet(source, self.folder / "boards", state, progress, quiet, quiet)

    @property
    def lines(self) -> list[Line]:
        return read_lines(self.table)

    def provision(self) -> list[LineResult]:
        with Registry.open(self.folder / "registry.sqlite") as registry:
            return self.fleet().provision(self.lines, registry)

    def board(self, name: str) -> EmulatedTarget:
        return EmulatedTarget(load_board("qemu"), self.folder / "boards" / name, quiet)

    def opens(self, name: str, task: str, key: UserKey) -> bool:
        target = self.board(name)
        try:
            with target.open() as session:
                return switch_task(session, task, lambda: key).unlocked_now
        finally:
            target.emulator.power_off()


@pytest.fixture
def depot(tmp_path: Path, flashed: Flashed) -> Iterator[Depot]:
    made = Depot(tmp_path, flashed)
    yield made
    for name in ("hall", "attic", "yard"):
        made.board(name).emulator.power_off()


def outcomes(results: list[LineResult]) -> list[str]:
    return [one.outcome for one in results]


def test_good_lines_are_done_bad_ones_listed_and_a_second_call_continues(depot: Depot) -> None:
    results = depot.provision()
    assert outcomes(results) == ["done", "failed", "done", "failed", "failed"]
    assert depot.built == 1
    error = failure(results)
    assert error is not None and error.what.startswith("3 of 5 lines failed. line 3 (attic): ")
    assert "no-such-task" in error.what and "no-such-board" in error.what
    assert depot.opens("hall", TASK, depot.ann) and depot.opens("yard", OTHER_TASK, depot.bob)
    assert not depot.board("hall").is_on() and not depot.board("attic").device.exists

    create_user_key(depot.folder / "nobody.key")
    again = depot.provision()
    assert outcomes(again) == ["skipped", "done", "skipped", "failed", "failed"]
    assert again[0].device == results[0].device
    with Registry.open(depot.folder / "registry.sqlite") as registry:
        names = {one.name: one.public for one in registry.devices()}
        assert names == {one.name: one.device for one in again[:3]}
        assert len(registry.licences()) == 2 + 2 + 1  # those of skipped lines once
        assert registry.find_device("yard").public == again[2].device
        registry.verify_chain()


def test_a_dry_run_touches_nothing(depot: Depot) -> None:
    results = depot.fleet().rehearse(depot.lines)
    assert outcomes(results) == ["ready", "failed", "ready", "failed", "failed"]
    assert depot.built == 0
    assert not (depot.folder / "boards").exists() and not state_file(depot.table).exists()
    assert not (depot.folder / "registry.sqlite").exists()


def test_a_board_of_another_name_gets_no_licence(depot: Depot) -> None:
    depot.table.write_text(f"board,name,user_key\nqemu,hall,{depot.folder}/ann.key\n")
    assert outcomes(depot.provision()) == ["done"]
    (depot.folder / "boards" / "hall").rename(depot.folder / "boards" / "yard")
    depot.table.write_text(f"board,name,user_key\nqemu,yard,{depot.folder}/ann.key\n")
    (result,) = depot.provision()
    assert result.outcome == "failed" and "is 'hall' in the registry" in result.error
    with Registry.open(depot.folder / "registry.sqlite") as registry:
        assert len(registry.licences()) == 2


def test_a_call_that_is_killed_in_a_board_continues_with_it(
    depot: Depot, monkeypatch: pytest.MonkeyPatch
) -> None:
    depot.table.write_text(f"board,name,user_key\nqemu,hall,{depot.folder}/ann.key\n")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(EmulatedTarget, "write_provisioning", killed)
        with pytest.raises(KeyboardInterrupt):
            depot.provision()
    assert not state_file(depot.table).exists()
    depot.board("hall").emulator.power_off()
    assert outcomes(depot.provision()) == ["done"]
    assert depot.opens("hall", TASK, depot.ann)


def test_a_firmware_that_does_not_fit_is_built_once(depot: Depot) -> None:
    fleet = depot.fleet()
    tried = []

    def refuse(*_: object) -> None:
        tried.append(1)
        raise FlashError("It does not fit.", "Choose another board.")

    fleet.source = Source(
        fleet.source.folder,
        fleet.source.tasks,
        fleet.source.provider,
        refuse,  # type: ignore[arg-type]
        fleet.source.prepare_model,
    )
    with Registry.open(depot.folder / "registry.sqlite") as registry:
        results = fleet.provision([depot.lines[0], depot.lines[2]], registry)
    assert outcomes(results) == ["failed", "failed"] and len(tried) == 1
    error = failure(results)
    assert isinstance(error, RbnnError) and "It does not fit." in error.what


def test_boards_at_one_port_are_asked_for_before_anything_is_read_from_it(
    depot: Depot, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    fleet = depot.fleet()
    fleet.pause = asked.append

    def look(line: Line) -> None:
        asked.append(line.name)
        raise FlashError("It is not there.")

    monkeypatch.setattr(fleet, "_inputs", look)
    depot.table.write_text(
        "board,port,name,user_key\n"
        "nucleo,/dev/one,hall,a\nnucleo,/dev/two,yard,a\nnucleo,/dev/one,barn,a\n"
    )
    with Registry.open(depot.folder / "registry.sqlite") as registry:
        assert outcomes(fleet.provision(depot.lines, registry)) == ["failed"] * 3
    assert asked[:2] == ["hall", "yard"] and asked[3] == "barn"
    assert asked[2].startswith("Plug in the board barn (port /dev/one)")
