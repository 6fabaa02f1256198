"""``rbnn lock-board``: nothing is locked without a clear yes."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from rbnn.cli.application import app
from rbnn.device import ports
from rbnn.device.real_target import RealTarget
from rbnn.errors import RbnnError
from rbnn.flash import openocd
from rbnn.image.board import load_board

PORT = "/dev/null"


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What was locked."""
    found: list[object] = []
    monkeypatch.setattr(openocd, "require", lambda: None)
    monkeypatch.setattr(openocd, "lock", lambda *arguments: found.append(arguments))
    monkeypatch.setattr(ports, "probe_serial", lambda port: "066DFF")
    monkeypatch.setattr(RealTarget, "power_cycle", lambda self: found.append("power cycle"))
    return found


def test_locking_names_its_consequences_and_needs_a_power_cycle(done: list[object]) -> None:
    said = CliRunner().invoke(app, ["lock-board", "--board", "nucleo", "--port", PORT, "--yes"])
    assert said.exit_code == 0, said.output
    assert "erases the whole flash" in said.stderr
    script = load_board("nucleo").openocd_script
    assert done == [(script, "stm32f2x lock 0", "066DFF"), "power cycle"]


def test_without_a_terminal_nothing_is_locked(done: list[object]) -> None:
    said = CliRunner().invoke(app, ["lock-board", "--board", "nucleo", "--port", PORT])
    assert isinstance(said.exception, RbnnError)
    assert "--yes" in said.exception.fix
    assert not done


@pytest.mark.parametrize(("answer", "locked"), [("nucleo", True), ("y", False), ("", False)])
def test_the_answer_is_the_boards_name(
    done: list[object], monkeypatch: pytest.MonkeyPatch, answer: str, locked: bool
) -> None:
    monkeypatch.setattr("rbnn.cli.lock_board.is_terminal", lambda: True)
    command = ["lock-board", "--board", "nucleo", "--port", PORT]
    said = CliRunner().invoke(app, command, input=answer + "\n")
    assert (said.exit_code == 0) is locked
    assert bool(done) is locked


def test_an_emulated_board_has_nothing_to_lock() -> None:
    said = CliRunner().invoke(app, ["lock-board", "--yes"])
    assert isinstance(said.exception, RbnnError)
    assert "no read-out protection" in str(said.exception)
