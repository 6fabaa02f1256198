"""Requests that no browser makes: refused, and nothing of them in the user's terminal."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from rbnn.console.board import HeldBoard
from rbnn.console.serve import LOOPBACK, Console
from rbnn.device.emulated.target import EmulatedTarget
from rbnn.image.board import load_board


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Console]:
    """Of a board that is not connected."""
    target = EmulatedTarget(load_board("qemu"), tmp_path / "device", lambda line: None)
    console = Console(HeldBoard(target, None, tmp_path / "runs"))
    thread = threading.Thread(target=console.serve_until_interrupted)
    thread.start()
    yield console
    console.should_exit = True
    thread.join(30)
    assert not thread.is_alive()


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        (b"OPTIONS * HTTP/1.1", 403),
        (b"OPTIONS x HTTP/1.1", 403),
        (b"GET  HTTP/1.1", 400),
        (b"\x16\x03\x01\x02\x00", 400),
    ],
)
def test_they_leave_no_trace(
    console: Console, request_line: bytes, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_connection((LOOPBACK, console.port), 60) as line:
        host = f"Host: {LOOPBACK}:{console.port}".encode()
        line.sendall(b"\r\n".join((request_line, host, b"Connection: close", b"", b"")))
        answer = line.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 %d " % status), answer[:200]
    assert not [one for one in caplog.records if one.name.startswith("uvicorn")]


@pytest.mark.parametrize("window", ["9" * 5000, "\u0663", "-1", "x"])
def test_a_window_that_is_no_number_is_refused(console: Console, window: str) -> None:
    where = f"{console.url}api/infer"
    answer = requests.post(where, params={"name": "a.csv", "window": window}, timeout=60)
    assert answer.status_code == 503 and "error" in answer.json()  # the board is not connected
