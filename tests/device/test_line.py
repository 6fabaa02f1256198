"""The serial line beneath a session: an unplugged board, error lines, and what is never shown."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted_device import ScriptedDevice

from rbnn.device.answers import Answer
from rbnn.device.errors import LinkError, from_error_line
from rbnn.device.line import redact
from rbnn.device.session import Session
from rbnn.spec.status import Status

Make = Callable[..., ScriptedDevice]


def test_unplugged_board(device: Make) -> None:
    far = device()
    session = Session(far.path)
    session.close()
    with pytest.raises(LinkError):
        session.lock()


@pytest.mark.parametrize("status", [status for status in Status if status])
def test_every_status_is_read_back(status: Status) -> None:
    name = status.name.lower().replace("_", "-")
    error = from_error_line(f"e-[{name}: {status.text}]", "id")
    assert error.status is status
    assert error.text == status.text
    assert error.fix or "; " not in status.text


def test_unknown_error_lines_are_shown_as_they_are() -> None:
    assert from_error_line("e-[Unhandled command]", "x").status is None
    assert "e-something" in from_error_line("e-something", "x").what


@given(st.lists(st.text(), max_size=8))
def test_any_answer_is_read_or_refused(lines: list[str]) -> None:
    answer = Answer("id", lines)
    for read in (lambda: answer.one("puf"), answer.scores, answer.laps):
        try:
            read()
        except LinkError as error:
            assert "`id`" in error.what


@pytest.mark.parametrize("command", ["unlock 00ff", "unlock  00ff ", "unlock"])
def test_an_unlock_without_a_task_does_not_show_its_key(command: str) -> None:
    assert redact(command) == "unlock <key>"


def test_redact() -> None:
    assert redact("unlock digits 00ff") == "unlock digits <key>"
    assert redact("unlock two words 00ff") == "unlock two <key>"
    assert redact("db 00ff") == "db <data>"
    assert redact("db load 12") == "db load 12"
    assert redact("switch digits") == "switch digits"
    assert redact("") == ""
