"""``rbnn monitor``: a script on standard input, and a person at a terminal."""

from __future__ import annotations

import io
import os
import pty
import sys
import threading
import time
from collections.abc import Iterator

import pytest
from scripted_device import ScriptedDevice

from rbnn.device import terminal
from rbnn.device.errors import LinkError
from rbnn.device.line import SerialLine


@pytest.fixture
def far() -> Iterator[ScriptedDevice]:
    device = ScriptedDevice({"stack": "m-stack-[1,2]", "lock": "m-locked"})
    yield device
    device.close()


def test_a_script_shows_every_answer_and_continues_after_errors(far: ScriptedDevice) -> None:
    shown: list[str] = []
    with SerialLine(far.path) as line:
        terminal.run_script(line, io.StringIO("stack%\nfrob%\r\n  lo\nck %\n"), shown.append)
    assert shown[:2] == ["m-stack-[1,2]", "m-ready"]
    assert shown[2].startswith("e-[unknown-command")
    assert shown[3:] == ["m-ready", "m-locked", "m-ready"]
    assert far.received == ["stack", "frob", "lock"]


def test_a_script_may_contain_any_bytes(far: ScriptedDevice) -> None:
    shown: list[str] = []
    noise = io.TextIOWrapper(io.BytesIO(b"\xa8\xff%stack%"), "utf-8", "surrogateescape")
    with SerialLine(far.path) as line:
        terminal.run_script(line, noise, shown.append)
    assert shown[-2:] == ["m-stack-[1,2]", "m-ready"]


def test_a_script_that_is_too_long_for_the_line_is_refused(far: ScriptedDevice) -> None:
    with SerialLine(far.path) as line, pytest.raises(LinkError, match="cannot be sent"):
        terminal.run_script(line, io.StringIO("x" * 2000 + "%"), print)


@pytest.mark.parametrize("leave", [b"\x1d", b"\x03"])
def test_a_person_types_and_leaves(
    far: ScriptedDevice, monkeypatch: pytest.MonkeyPatch, leave: bytes
) -> None:
    keyboard, terminal_side = pty.openpty()
    shown = io.BytesIO()
    monkeypatch.setattr(sys, "stdin", os.fdopen(terminal_side, "r"))
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(shown, write_through=True))

    def person() -> None:
        time.sleep(0.2)
        os.write(keyboard, b"stack%\r")
        time.sleep(0.5)
        os.write(keyboard, b"half" + leave)

    thread = threading.Thread(target=person)
    thread.start()
    with SerialLine(far.path) as line:
        terminal.run_interactive(line)
    thread.join()
    text = shown.getvalue().decode()
    assert text.startswith(terminal.BANNER)
    assert "stack%\r\n" in text
    assert "m-stack-[1,2]\r\nm-ready" in text
    assert far.received == ["stack"]
    os.close(keyboard)
