"""`rbnn boards`, and boards of one's own: `--boards` and RBNN_BOARDS."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from rbnn.cli.application import COMMANDS, load
from rbnn.cli.main import build
from rbnn.image.board import board_names, load_board
from rbnn.image.defaults import BOARDS_VARIABLE


def rbnn(*arguments: str) -> Result:
    return CliRunner().invoke(build(), list(arguments))


def listed(*arguments: str) -> dict[str, dict[str, object]]:
    done = rbnn("boards", "--no-fit", "--json", *arguments)
    return {line["board"]: line for line in json.loads(done.stdout)["boards"]}


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A folder with one board, a copy of one of rbnn's."""
    shutil.copytree(load_board("nucleo").folder, tmp_path / "own" / "mine")
    return tmp_path / "own"


def test_every_board_is_listed_with_its_memory() -> None:
    found = listed()
    assert set(found) == set(board_names())
    assert found["nucleo"]["flash"] == 458_752 and found["nucleo"]["connected"] == []
    assert "nucleo" in rbnn("boards", "--no-fit").stdout


def test_a_board_of_one_s_own_is_used_like_the_others(own: Path) -> None:
    assert listed("--boards", str(own))["mine"]["folder"] == str(own / "mine")
    done = rbnn("nets", "--board", "mine", "--boards", str(own), "--width", "32", "--json")
    assert json.loads(done.stdout)["board"] == "mine"
    # The option is for one command; the variable is for all.
    assert BOARDS_VARIABLE not in os.environ and "mine" not in listed()


def test_the_variable_names_the_folder_too(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(BOARDS_VARIABLE, str(own))
    assert "mine" in listed()


def test_a_name_that_is_taken_is_refused(own: Path) -> None:
    (own / "mine").rename(own / "nucleo")
    refused = rbnn("nets", "--board", "nucleo", "--boards", str(own)).exception
    assert "Two boards have the name 'nucleo'" in str(refused)
    error = listed("--boards", str(own))["nucleo"]["error"]
    assert "Two boards have the name" in str(error)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    refused = rbnn("nets", "--boards", str(tmp_path / "none")).exception
    assert "There is no folder" in str(refused) and "--boards DIR" in str(refused)


def commands(command: object) -> list[object]:
    inner = getattr(command, "commands", {})
    return [command, *(one for child in inner.values() for one in commands(child))]


def test_every_command_that_takes_a_board_takes_a_folder_of_boards() -> None:
    takers = 0
    for name in COMMANDS:
        for command in commands(load(name)):
            options = {word for one in command.params for word in one.opts}  # type: ignore[attr-defined]
            takers += "--board" in options
            assert ("--boards" in options) >= ("--board" in options), name
    assert takers > 15
