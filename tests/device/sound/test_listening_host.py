"""`rbnn listen` on scripted devices: what it says, what it keeps, and how it fails."""

from __future__ import annotations

import contextlib
import json
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scripted_device import ScriptedDevice
from test_session import Buffer
from typer.testing import CliRunner

from rbnn.cli import options
from rbnn.cli.main import build
from rbnn.device.session import Session
from rbnn.errors import RbnnError
from rbnn.spec import audio
from rbnn.tasks.sample import load_recording

SECONDS = 2
TOTAL = SECONDS * audio.RATE_HZ + audio.PAD_SAMPLES


class Ear:
    """Answers `audio` as a device would that hears a word in its third block."""

    def __init__(self, fail_at: int = 99, error: str = "e-[limit: the end]") -> None:
        self.samples = self.blocks = 0
        self.fail_at, self.error = fail_at, error
        self.stopped = False

    def audio(self, command: str) -> str | list[str]:
        word = command.split()[1]
        if word == "start":
            self.samples = 0
        elif word == "stop":
            self.stopped = True
            return ""
        else:
            self.blocks += 1
            if self.blocks == self.fail_at:
                return self.error
            self.samples += int(word)
        line = f"m-audio-[{self.samples},{self.samples // 500},2,4000,90000]"
        return (
            f"m-detected-[4000,1,0.875000]\n{line}"
            if self.blocks == 3 and word != "start"
            else line
        )


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "long.wav"
    sound = np.rint(np.sin(np.arange(SECONDS * 8_000) / 9) * 16_384).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8_000)
        file.writeframes(sound.tobytes())
    return path


@pytest.fixture
def board(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., ScriptedDevice]]:
    made: list[ScriptedDevice] = []

    def make(ear: Ear, state: str = "active", **answers: object) -> ScriptedDevice:
        buffer = Buffer()
        told: dict[str, object] = {
            "db": buffer.db,
            "crc": buffer.crc,
            "audio": ear.audio,
            "tasks": f"m-task-[0,kws,2,{state}]",
            "labels": "m-input-[32,32,1]\nm-label-[0,_silence_]\nm-label-[1,yes]",
            **answers,
        }
        device = ScriptedDevice(told)
        made.append(device)

        @contextlib.contextmanager
        def opened() -> Iterator[Session]:
            with Session(device.path) as session:
                yield session

        monkeypatch.setattr(options, "target", lambda *_: SimpleNamespace(open=opened))
        return device

    yield make
    for one in made:
        one.close()


def listen(*arguments: object) -> Any:
    return CliRunner().invoke(build(), ["listen", *map(str, arguments)])


def test_words_are_printed_with_their_times(
    board: Callable[..., ScriptedDevice], recording: Path
) -> None:
    ear = Ear()
    device = board(ear)
    done = listen(recording)
    assert done.exit_code == 0, done.exception
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["0.25", "-", "1.25", "s", "yes", "87.5%"]
    assert lines[1].startswith("1 detected in 2.0 s of ")
    assert "front end" in lines[2] and len(lines) == 3
    assert ear.samples == TOTAL and ear.stopped
    assert "audio start 800000" in device.received


def test_json_is_one_document(board: Callable[..., ScriptedDevice], recording: Path) -> None:
    device = board(Ear())
    done = listen(recording, "--json", "--threshold", "0.5")
    told = json.loads(done.stdout)
    assert told["task"] == "kws" and told["threshold"] == 0.5 and told["seconds"] == 2.0
    (one,) = told["detections"]
    assert one == {
        "label": "yes", "score": 0.875, "start_s": 0.25, "end_s": 1.25, "first_sample": 4000,
    }  # fmt: skip
    assert "audio start 500000" in device.received


def test_what_was_heard_before_a_failure_is_kept(
    board: Callable[..., ScriptedDevice], recording: Path
) -> None:
    ear = Ear(fail_at=5)
    board(ear)
    done = listen(recording, "--json")
    assert isinstance(done.exception, RbnnError)
    told = json.loads(done.stdout)
    assert len(told["detections"]) == 1 and "the end" in told["error"] and told["try"]
    assert ear.stopped, "the board forgets the sound"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("e-[no-sound: the active task takes no sound]", "takes no sound"),
        ("e-[unknown-command: unknown command; help% lists the commands]", "cannot listen"),
    ],
)
def test_a_board_that_cannot_listen_says_why(
    board: Callable[..., ScriptedDevice], recording: Path, error: str, said: str
) -> None:
    board(Ear(), audio=error)
    done = listen(recording)
    assert isinstance(done.exception, RbnnError)
    assert said in done.exception.what and "rbnn" in done.exception.fix
    assert done.stdout == ""


def test_a_class_that_the_task_does_not_have_is_nonsense(
    board: Callable[..., ScriptedDevice], recording: Path
) -> None:
    for line, said in (
        ("m-detected-[0,2,0.9]", "class 2 of 2"),
        ("m-detected-[0,1,1.9]", "score"),
        ("m-detected-[0,1,nan]", "score"),
        ("m-detected-[0,1]", "fields"),
        ("m-audio-[1]", "2 lines"),
    ):
        ear = Ear()
        board(ear, audio=lambda command, line=line, ear=ear: f"{line}\n{ear.audio(command)}")
        done = listen(recording)
        assert isinstance(done.exception, RbnnError) and said in done.exception.what, line


def test_no_active_task_and_bad_thresholds_are_refused(
    board: Callable[..., ScriptedDevice], recording: Path
) -> None:
    device = board(Ear(), state="locked")
    done = listen(recording)
    assert isinstance(done.exception, RbnnError) and "no task is active" in done.exception.what
    for value in ("0", "1.1", "nan"):
        done = listen(recording, "--threshold", value)
        assert isinstance(done.exception, RbnnError) and "--threshold" in done.exception.what
    assert not any(command.startswith("audio") for command in device.received)


def test_files_that_are_no_recordings_are_refused_before_the_board_is_asked(
    tmp_path: Path,
) -> None:
    (tmp_path / "empty.wav").write_bytes(b"")
    (tmp_path / "text.wav").write_bytes(b"hello")
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    for name, said in (
        ("empty.wav", "is empty"),
        ("text.wav", "not a WAV file"),
        ("picture.png", "is a picture"),
        ("missing.wav", "Cannot read"),
        ("notes.txt", "neither PNG"),
    ):
        done = listen(tmp_path / name)
        assert isinstance(done.exception, RbnnError) and said in done.exception.what, name


def test_any_rate_becomes_16_khz_and_16_bits(recording: Path) -> None:
    pcm = load_recording(recording)
    assert pcm.dtype == np.int16 and len(pcm) == SECONDS * audio.RATE_HZ
    assert 16_000 < np.abs(pcm).max() < 17_000
