"""What a command says of an input that it cannot use: what, where, how to fix it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typed import typed
from typer.testing import CliRunner

from rbnn.cli.main import build
from rbnn.errors import RbnnError
from rbnn.keys.user_key import create_user_key
from rbnn.tasks import TaskError, load_sample
from rbnn.train.interrupt import parse_until

COMMAND = [sys.executable, "-m", "rbnn.cli.main"]


def refused(cwd: Path, *arguments: str) -> str:
    """Standard error of a command that must fail with one clear error."""
    done = typed(cwd, *arguments)
    assert done.returncode not in (0, 120) and "Traceback" not in done.stderr, done.stderr
    assert done.stdout == ""
    if done.returncode != 2:  # Typer's own
        what, *fix = done.stderr.splitlines()
        assert what.startswith("error: ") and fix and fix[0].startswith("try: "), done.stderr
        assert len(fix[0]) > len("try: ")
    return done.stderr


@pytest.mark.parametrize("stream", [">&-", "2>&-", ">&- 2>&-", "<&-"])
@pytest.mark.parametrize("command", ["nets --arch vgg", "nets --json", "--help", "--version"])
def test_closed_streams_are_read_and_written_in_silence(
    tmp_path: Path, command: str, stream: str
) -> None:
    line = f"{' '.join(COMMAND)} {command} {stream}"
    done = subprocess.run(["sh", "-c", line], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("command", ["nets", "tasks", "nets --json", "--help"])
def test_a_reader_may_stop_early(tmp_path: Path, command: str) -> None:
    line = f"{' '.join(COMMAND)} {command} | head -1"
    done = subprocess.run(["sh", "-c", line], cwd=tmp_path, capture_output=True, text=True)
    assert "Traceback" not in done.stderr and "Exception" not in done.stderr


@pytest.mark.parametrize("kind", ["folder", "pipe", "empty", "text", "absent"])
def test_a_sample_that_is_no_file_says_what_to_name(tmp_path: Path, kind: str) -> None:
    path = tmp_path / ("a.txt" if kind == "text" else "a.png")
    match kind:
        case "folder":
            path.mkdir()
        case "pipe":
            os.mkfifo(path)  # opening it would wait for a writer
        case "empty" | "text":
            path.touch()
    with pytest.raises(TaskError) as caught:
        load_sample(path, 3)
    assert str(path) in caught.value.what
    assert caught.value.fix == "Name a PNG, JPEG, WAV, CSV or NPY file."


@pytest.mark.parametrize("size", ["100000000x100000000x3", "32x32x999999", "32x32x٣", "0x1x1"])
def test_an_impossible_input_is_refused_before_memory_is_used(tmp_path: Path, size: str) -> None:
    assert "input" in refused(tmp_path, "nets", "--input", size)


@pytest.mark.parametrize("command", ["off", "reset", "cycle", "on"])
@pytest.mark.parametrize("place", ["absent", "file", "folder"])
def test_power_of_a_board_that_is_not_there(tmp_path: Path, command: str, place: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    said = refused(tmp_path, "board", command, "--device-folder", place)
    assert f"There is no emulated board in {place}." in said


@pytest.mark.parametrize("option", ["--wrong-secrets", "--samples"])
def test_counts_are_not_negative(tmp_path: Path, option: str) -> None:
    assert option in refused(tmp_path, "eval", option, "-1")


@pytest.mark.parametrize(
    "options",
    [
        ["--samples", "5"],
        ["--user-key", "a.key"],
        ["--emulated"],
        ["--board", "qemu", "--engine", "c"],
        ["--board", "qemu", "--wrong-secrets", "3"],
    ],
)
def test_an_option_that_would_do_nothing_is_refused(tmp_path: Path, options: list[str]) -> None:
    said = refused(tmp_path, "eval", *options)
    assert options[-2 if len(options) > 1 else 0] in said and "--board" in said


@pytest.mark.parametrize("value", ["nan", "inf", "-1", "0"])
def test_settings_that_are_no_number_say_what_to_do(tmp_path: Path, value: str) -> None:
    said = refused(tmp_path, "train", "--tasks", "digits", "--learning-rate", value)
    assert "--learning-rate must be above 0 and finite" in said


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("--depth 2", "vgg needs a depth of 3"),
        ("--arch resnet --stages 9", "--stages"),
        ("--trunk 99", "--trunk"),
    ],
)
def test_a_network_that_cannot_be_is_refused_before_data_are_loaded(
    tmp_path: Path, options: str, said: str
) -> None:
    text = refused(tmp_path, "train", "--tasks", "mine=no-such-folder", *options.split())
    assert said in text and "no-such-folder" not in text


def test_a_key_file_that_cannot_be_made_says_where_it_could(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "file" in refused(tmp_path, "keys", "new", "user", "file/a.key")
    assert "/proc/a.key" in refused(tmp_path, "keys", "new", "user", "/proc/a.key")


def test_the_advice_on_user_key_is_told_from_the_command_before_it(tmp_path: Path) -> None:
    said = refused(tmp_path, "flash", "--test-only", "--user-key", "colour")
    assert "keys/user.key; or, if colour is another argument, put --user-key last" in said


@pytest.mark.parametrize("text", ["0٧:30", "07:3٠", "7.30", "24:00", ""])
def test_a_time_of_day_has_ascii_digits(text: str) -> None:
    with pytest.raises(RbnnError, match="HH:MM"):
        parse_until(text)


@pytest.mark.parametrize("option", ["--window", "--hop"])
def test_windows_of_a_task_that_is_not_named_are_refused(option: str) -> None:
    for words in (["walk=nowhere", option, "run=50"], [option, "run=50"]):
        done = CliRunner().invoke(build(), ["tasks", *words])
        assert isinstance(done.exception, RbnnError) and option in done.exception.what
    assert "The tasks are" not in done.exception.fix


def test_a_registry_that_cannot_be_opened_is_noticed_before_a_build(
    tmp_path: Path, random_export: Callable[..., Any]
) -> None:
    create_user_key(tmp_path / "user.key")
    provider = tmp_path / "provider.pem"
    words = ["flash", str(random_export().run.folder), "--provider-key", str(provider)]
    words += ["--device-folder", str(tmp_path / "device"), "--registry", "foo://x"]
    done = CliRunner().invoke(build(), [*words, "--user-key", str(tmp_path / "user.key")])
    assert isinstance(done.exception, RbnnError) and "registry" in done.exception.what
    assert not provider.exists()
