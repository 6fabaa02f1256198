"""``--user-key`` with and without a value."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from rbnn.cli.main import build
from rbnn.cli.options import (
    NO_VALUE,
    USER_KEY,
    BoardOption,
    UserKeyCommand,
    UserKeyOption,
    load_user_key,
    output,
    user_key_loader,
)
from rbnn.errors import RbnnError
from rbnn.keys.errors import UserKeyError


@pytest.mark.parametrize(
    ("arguments", "user_key"),
    [
        ([], None),
        (["--user-key"], NO_VALUE),
        (["--board", "nucleo", "--user-key"], NO_VALUE),
        (["--user-key", "--board", "nucleo"], NO_VALUE),
        (["--user-key", "alice.key", "--board", "nucleo"], "alice.key"),
        (["--user-key=alice.key"], "alice.key"),
        (["--user-key", "-"], "-"),
    ],
)
def test_the_value_may_be_omitted(arguments: list[str], user_key: str | None) -> None:
    app = typer.Typer()
    seen: list[str | None] = []

    @app.command(cls=UserKeyCommand)
    def command(board: BoardOption = "qemu", user_key: UserKeyOption = None) -> None:
        assert board == ("nucleo" if "nucleo" in arguments else "qemu")
        seen.append(user_key)

    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert seen == [user_key]


def test_square_brackets_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    output().print("[bold]x.png")
    assert capsys.readouterr().out == "[bold]x.png\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full")
def test_output_that_does_not_fit_is_one_line() -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "rbnn.cli.main", "tasks"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert "No space" in done.stderr


@pytest.mark.parametrize(
    "arguments", [["--user-key", "words"], ["--board", "qemu", "--user-key", "words", "--json"]]
)
def test_a_user_key_that_takes_the_task_is_named(arguments: list[str]) -> None:
    done = CliRunner().invoke(build(), ["switch", *arguments])
    assert isinstance(done.exception, RbnnError)
    assert done.exception.what == "TASK is missing: --user-key took 'words' as its PATH."
    assert "--user-key=PATH" in done.exception.fix
    assert "switch words --user-key" in done.exception.fix


@pytest.mark.parametrize("arguments", [["switch"], ["switch", "--user-key"]])
def test_a_missing_task_is_named_as_usual(arguments: list[str]) -> None:
    done = CliRunner().invoke(build(), arguments)
    assert done.exit_code == 2
    assert "Missing argument" in done.output and "TASK is missing" not in done.output


@pytest.mark.parametrize("value", ["my-run", "."])
def test_a_word_that_is_no_key_file_may_be_another_argument(value: str) -> None:
    with pytest.raises(UserKeyError) as caught:
        load_user_key(value)
    assert "put --user-key last" in caught.value.fix


def test_a_key_from_standard_input_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("ann\ncorrect horse battery staple\n"))
    load = user_key_loader("-")
    assert load is not None
    assert load() is load()


def test_arguments_after_two_dashes_are_kept() -> None:
    app = typer.Typer()
    seen: list[str] = []

    @app.command(cls=UserKeyCommand)
    def command(words: list[str], user_key: UserKeyOption = None) -> None:
        seen.extend(words)

    assert CliRunner().invoke(app, ["--", USER_KEY]).exit_code == 0
    assert seen == [USER_KEY]


def test_the_help_of_license_issue_shows_no_placeholder_and_promises_no_key() -> None:
    done = CliRunner().invoke(build(), ["license", "issue", "--help"], env={"COLUMNS": "200"})
    assert NO_VALUE not in done.output and "x00" not in done.output
    assert "made if missing" not in done.output
    assert "--tasks" in done.output


@pytest.mark.parametrize("command", ["bench device", "bench document"])
def test_what_a_command_writes_is_named_with_out(command: str) -> None:
    done = CliRunner().invoke(build(), [*command.split(), "--output", "x"])
    assert done.exit_code == 2 and "--out" in done.output
