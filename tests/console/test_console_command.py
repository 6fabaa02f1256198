"""`rbnn console` as a user types it, with a board that answers from a script."""

from __future__ import annotations

import binascii
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from PIL import Image
from scripted_device import ScriptedDevice
from typed import typed

from rbnn.device.line import UNREADABLE
from rbnn.device.session import Session
from rbnn.errors import ExitCode
from rbnn.keys.user_key import create_user_key

REPOSITORY = Path(__file__).resolve().parents[2]
GREY_CRC = binascii.crc32(bytes([128]) * (32 * 32 * 3))
LICENCE = "ab" * 16


def board(state: str, **answers: object) -> ScriptedDevice:
    """A release build with one task of colour pictures."""
    return ScriptedDevice(
        {
            "name": "m-name-dut-[nucleo]",
            "id": "m-firmware-[0.1.0]\nm-build-[release]\nm-board-[nucleo]\nm-protection-[flash]\n"
            f"m-model-id-[{'0f' * 16}]\nm-puf-[enrolled]\nm-public-[{'1e' * 32}]",
            "tasks": f"m-task-[0,mine,2,{state}]",
            "licences": f"m-licence-[0,mine,{LICENCE},3,flash]",
            "stack": "m-stack-[10,20]",
            "labels": "m-input-[32,32,3]\nm-label-[0,a]\nm-label-[1,b]",
            "db": "m-load-done",
            "crc": f"m-crc-[{GREY_CRC:08x}]",
            "infer": "m-lap-us-1000\nm-lap-us-3500\nm-infer-done\nm-results-[0.25,0.75]",
            **answers,
        }
    )


def grey() -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (32, 32), (128, 128, 128)).save(stream, "PNG")
    return stream.getvalue()


class Running:
    """The command in a process of its own."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "rbnn.cli.main", "console", "--json", *options],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout
        lines = iter(self.process.stdout.readline, "")
        text = ""
        for line in lines:
            text += line
            if line.startswith("}"):
                break
        assert text, self.process.communicate()[1]
        self.url = str(json.loads(text)["url"])

    def post(self, path: str, raw: bytes = b"", timeout: float = 60) -> requests.Response:
        return requests.post(f"{self.url}api/{path}", data=raw, timeout=timeout)

    def end(self, number: int = signal.SIGINT) -> tuple[int, str]:
        """Send a signal; returns the exit code, and what was said on standard error."""
        self.process.send_signal(number)
        _, said = self.process.communicate(timeout=60)
        return self.process.returncode, said


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    made: list[Running] = []

    def run(far: ScriptedDevice, *options: str) -> Running:
        made.append(Running(tmp_path, "--board", "nucleo", "--port", far.path, *options))
        return made[-1]

    yield run
    for one in made:
        one.process.kill()
        one.process.communicate()


@pytest.fixture
def far(request: pytest.FixtureRequest) -> Iterator[Callable[..., ScriptedDevice]]:
    made: list[ScriptedDevice] = []

    def make(state: str, **answers: object) -> ScriptedDevice:
        made.append(board(state, **answers))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_a_real_board_is_shown_with_its_times(
    far: Callable[..., ScriptedDevice], start: Callable[..., Running]
) -> None:
    device = far("active")
    running = start(device)
    state = requests.get(f"{running.url}api/state", timeout=60).json()
    assert not state["emulated"] and state["protection"].startswith("flash: a debug probe does not")
    assert state["status"]["identity"]["build"] == "release" and not state["has_key"]
    answer = running.post("infer?name=grey.png", grey()).json()
    assert (answer["took"], answer["inference"]["label"]) == ("2.50 ms", "b")
    refused = running.post("profile")
    assert refused.status_code == 422
    assert "rbnn flash --development" in refused.json()["try"]
    assert not any(command.startswith("switch") for command in device.received)
    code, said = running.end()
    assert (code, "Traceback" in said) == (0, False), said
    assert said.splitlines()[-1] == "The console has ended; other commands can use the board."
    Session(device.path).close()


def test_without_a_key_a_locked_task_says_how_to_give_one(
    far: Callable[..., ScriptedDevice], start: Callable[..., Running]
) -> None:
    device = far("locked")
    running = start(device)
    for action in ("unlock", "switch"):
        refused = running.post(f"{action}?task=mine")
        assert "no user key was given" in refused.json()["error"]
        assert refused.json()["try"].endswith("start it with --user-key PATH.")
    assert not any(command.startswith("unlock") for command in device.received)


def test_ctrl_c_does_not_wait_for_a_board_that_is_silent(
    far: Callable[..., ScriptedDevice], start: Callable[..., Running]
) -> None:
    device = far("active", infer=lambda command: None)
    running = start(device)
    with pytest.raises(requests.Timeout):
        running.post("infer?name=grey.png", grey(), timeout=2)
    started = time.monotonic()
    code, said = running.end()
    assert (code, "Traceback" in said) == (0, False), said
    assert time.monotonic() - started < 20
    assert device.received[-1] == UNREADABLE, "the inference is ended: the board answers again"


def test_what_cannot_be_served_is_refused_at_once(tmp_path: Path) -> None:
    create_user_key(tmp_path / "user.key")
    for options, code, what in (
        (("--port", str(tmp_path / "gone")), ExitCode.BOARD, "Cannot open the serial port"),
        (("--port", "x", "--user-key", "none.key"), ExitCode.REFUSED, "none.key"),
        (("--device-folder", "x"), ExitCode.BOARD, "is real; it has no folder"),
        (("--http-port", "70000"), ExitCode.USAGE, "65535"),
    ):
        done = typed(tmp_path, "console", "--board", "nucleo", *options)
        assert done.returncode == code, done.stderr
        assert what in done.stderr and done.stdout == ""


def test_a_board_that_another_program_holds_is_refused(
    far: Callable[..., ScriptedDevice], start: Callable[..., Running], tmp_path: Path
) -> None:
    device = far("active")
    start(device)
    for command in ("console", "board status"):
        done = typed(tmp_path, *command.split(), "--board", "nucleo", "--port", device.path)
        assert done.returncode == ExitCode.BOARD
        assert "is in use by another program" in done.stderr
