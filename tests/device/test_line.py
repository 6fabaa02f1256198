"""The serial line beneath a session: an unplugged board, error lines, and what is never shown."""

from __future__ import annotations

import termios
import threading
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted_device import ScriptedDevice

from rbnn.device.answers import Answer
from rbnn.device.errors import LinkError, from_error_line
from rbnn.device.line import MAX_LINE_BYTES, MAX_LINES, redact
from rbnn.device.session import Session
from rbnn.spec import link
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
    assert error.fix


def test_a_refused_notice_is_not_blamed_on_a_user_key() -> None:
    line = f"e-[{Status.LICENCE_REFUSED.line}]"
    assert "--provider-key" in from_error_line(line, "revoke").fix
    assert "user key" in from_error_line(line, "unlock digits <key>").fix


def test_no_advice_restarts_a_limit() -> None:
    error = from_error_line(f"e-[{Status.LIMIT.line}]", "infer 1 0")
    assert "rbnn license issue" in error.fix and "switch" not in error.fix


@pytest.mark.parametrize("status", [Status.PUF_PATTERN, Status.PUF_BIAS, Status.PUF_ENTROPY])
def test_a_refused_fingerprint_comes_with_advice(status: Status) -> None:
    name = status.name.lower().replace("_", "-")
    error = from_error_line(f"e-[{name}: {status.text}]", "enroll")
    assert "Switch the board off" in error.fix and "noinit in boards/NAME/board.json" in error.fix


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


@pytest.mark.parametrize(
    "results",
    ["nan,0.5", "inf", "-0.1,0.9", "1.000001", "1e0", "0_1", " 1", "", ",".join(["0.01"] * 65)],
)
def test_scores_that_are_no_scores_are_refused(results: str) -> None:
    with pytest.raises(LinkError, match="scores"):
        Answer("infer", [f"m-results-[{results}]"]).scores()


@pytest.mark.parametrize("text", ["-1", "1_0", "+1", " 1", "", "nan", "\u0661", "9" * 21, "9" * 20])
def test_numbers_that_the_device_does_not_print_are_refused(text: str) -> None:
    with pytest.raises(LinkError, match="instead of a number"):
        Answer("trace", []).number(text)


def test_a_clock_that_runs_backwards_is_refused() -> None:
    with pytest.raises(LinkError, match="backwards"):
        Answer("infer", ["m-lap-us-5", "m-lap-us-4"]).elapsed()
    assert Answer("infer", ["m-lap-us-5", "m-lap-us-9"]).elapsed() == 4


@pytest.mark.parametrize(
    ("read", "answers"),
    [
        ("active_task", {"labels": "m-input-[4096,4096,3]\nm-label-[0,a]"}),
        ("active_task", {"labels": "m-input-[0,32,1]\nm-label-[0,a]"}),
        ("active_task", {"labels": "m-input-[32,32,1]"}),
        ("tasks", {"tasks": "m-task-[0,digits,99999999,locked]"}),
        ("licences", {"licences": "m-licence-[0,digits,zz,1,flash]"}),
        (
            "identify",
            {
                "id": "m-firmware-[0]\nm-build-[release]\nm-board-[x]\nm-protection-[none]\n"
                f"m-model-id-[{'0z' * 16}]\nm-puf-[fresh]"
            },
        ),
    ],
)
def test_absurd_answers_are_refused(device: Make, read: str, answers: dict[str, str]) -> None:
    with Session(device(**answers).path) as session, pytest.raises(LinkError, match="holds"):
        getattr(session, read)()


def test_an_answer_without_end_is_refused(device: Make) -> None:
    far = device(help="m-help-[x]\n" * MAX_LINES, stack="m" * (2 * MAX_LINE_BYTES))
    with Session(far.path) as session:
        with pytest.raises(LinkError, match="answer without end to `help`"):
            session.ask("help")
        session.line.drain()
        with pytest.raises(LinkError, match="line without end"):
            session.ask("stack")


def test_absurd_counts_are_not_sent(device: Make) -> None:
    far = device()
    with Session(far.path) as session:
        for n, warm_ups in ((0, 0), (link.MAX_INFERENCES + 1, 0), (1, -1), (1, 2**32)):
            with pytest.raises(ValueError, match="inferences"):
                session.infer(b"image", n, warm_ups)
    assert "db load 5" not in far.received


@pytest.mark.parametrize("fails", ["write", "flush", "read", "reset_input_buffer"])
@pytest.mark.parametrize("error", [OSError(5, "Input/output error"), termios.error(5, "EIO")])
def test_a_port_that_goes_away_is_an_error_at_every_call(
    device: Make, monkeypatch: pytest.MonkeyPatch, fails: str, error: Exception
) -> None:
    def gone(*_: object) -> None:
        raise error

    with Session(device(lock="m-locked").path) as session:
        monkeypatch.setattr(session.line._port, fails, gone)
        with pytest.raises(LinkError, match="was disconnected") as caught:
            session.lock()
        assert "plugged in" in caught.value.fix


def test_an_answer_is_awaited_no_longer_once_interrupted(device: Make) -> None:
    far = device(infer=lambda _: None)
    with Session(far.path) as session:
        threading.Timer(0.3, session.line.interrupt).start()
        started = time.monotonic()
        with pytest.raises(LinkError, match="was interrupted"):
            session.ask("infer 1 0", 60.0)
    assert time.monotonic() - started < 10
