"""The commands that need a board, typed as a user types them, on an emulated one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from typed import typed

from rbnn.errors import ExitCode
from rbnn.export.checks import record
from rbnn.keys.provider_key import ensure_provider
from rbnn.keys.user_key import create_user_key

pytestmark = pytest.mark.qemu

Rbnn = Callable[..., subprocess.CompletedProcess[str]]
REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def place(
    tmp_path_factory: pytest.TempPathFactory, random_export: Callable[..., Any]
) -> Iterator[Path]:
    """A folder with a run, keys and a flashed board."""
    folder = tmp_path_factory.mktemp("cli")
    provider = ensure_provider(folder / "keys" / "provider.pem", say=lambda line: None)
    create_user_key(folder / "keys" / "user.key")
    create_user_key(folder / "mallory.key")
    made = random_export(folder / "runs" / "random", provider_public=provider.public)
    record(made.export, [])  # its images are random: there is nothing to agree on
    Image.fromarray(made.images["colour"][0]).save(folder / "picture.png")
    done = run(folder, "flash", "--development", "--user-key")
    assert done.returncode == 0, done.stderr
    assert "development build" in done.stderr
    yield folder
    run(folder, "board", "off")


def run(
    folder: Path, *arguments: str, stdin: str = "", path: str | None = None
) -> subprocess.CompletedProcess[str]:
    environment = dict(os.environ)
    if path is not None:
        environment["PATH"] = path
    return typed(folder, *arguments, stdin=stdin, environment=environment)


@pytest.fixture
def rbnn(place: Path) -> Rbnn:
    def call(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        return run(place, *arguments, **settings)

    return call


def refused(done: subprocess.CompletedProcess[str], what: str, fix: str) -> None:
    """The command failed in one or two lines that say what and how to fix it."""
    assert done.returncode in (ExitCode.REFUSED, ExitCode.BOARD)
    if "--json" in done.args:
        assert set(json.loads(done.stdout)) == {"error", "try"}
    else:
        assert done.stdout == ""
    said = done.stderr.strip().splitlines()
    assert len(said) <= 2
    assert said[0].startswith("error: ")
    assert what in said[0]
    assert fix in said[-1]
    assert "Traceback" not in done.stderr


def test_flash_again_prints_one_json_document(rbnn: Rbnn) -> None:
    done = rbnn("flash", "--development", "--json", "--user-key")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["board"] == "qemu"
    assert not report["enrolled_now"]
    assert [one["task"] for one in report["licences"]] == ["colour", "grey"]
    assert report["sizes"]["flash"] < report["sizes"]["flash_limit"]


def test_switch_infer_and_status(rbnn: Rbnn) -> None:
    rbnn("board", "cycle")
    first = rbnn("switch", "colour", "--user-key", "keys/user.key")
    assert first.returncode == 0, first.stderr
    assert "unlocked and active" in first.stdout
    again = json.loads(rbnn("switch", "colour", "--json").stdout)
    assert (again["unlocked_now"], again["task"]) == (False, "colour")
    document = json.loads(rbnn("infer", "picture.png", "--json").stdout)
    (found,) = document["inputs"]
    assert found["label"].startswith("colour-")
    assert document["task"] == "colour"
    assert (found["us"], found["instructions"] > 0) == (None, True)
    assert (again["us"], again["instructions"] > 0) == (None, True)
    table = rbnn("infer", "picture.png").stdout.splitlines()
    assert table[0] == "task colour" and "instructions (emulated)" in table[2]
    status = json.loads(rbnn("board", "status", "--json").stdout)
    assert {task["name"]: task["state"] for task in status["tasks"]} == {
        "colour": "active",
        "grey": "locked",
    }


def test_profile_charts_every_layer(rbnn: Rbnn) -> None:
    rbnn("board", "cycle")
    refused(rbnn("profile", "--task", "colour"), "no user key was given", "--user-key PATH")
    chart = rbnn("profile", "--task", "colour", "--run", "random", "--user-key")
    assert chart.returncode == 0, chart.stderr
    head, stem, *_ = chart.stdout.splitlines()
    assert head.startswith("colour on qemu: ") and head.endswith("(emulated) in one inference")
    assert "#" in stem and stem.endswith("per MAC")
    found = json.loads(rbnn("profile", "--task", "colour", "--json").stdout)
    assert found["unit"] == "instructions"
    assert sum(layer["counts"] for layer in found["layers"]) == found["counts"] > 0
    assert abs(sum(layer["share"] for layer in found["layers"]) - 1) < 1e-9
    refused(rbnn("profile", "--task", "nope"), "no such task", "colour, grey")


def test_a_release_build_has_no_profile(rbnn: Rbnn) -> None:
    both = rbnn("flash", "--development", "--release-only", "--user-key")
    refused(both, "cannot be combined with --development", "Omit one")
    flashed = rbnn("flash", "--release-only", "--user-key")
    assert flashed.returncode == 0, flashed.stderr
    assert "release build" in rbnn("board", "status").stdout
    refused(
        rbnn("profile", "--task", "colour", "--user-key"), "unknown command", "flash --development"
    )
    again = rbnn("flash", "--development", "--user-key", "--tasks", "colour")
    assert again.returncode == 0, again.stderr
    # The licence of grey stayed, and it is for release builds.
    refused(rbnn("switch", "grey", "--user-key"), "a development build", "without --development")
    assert rbnn("flash", "--development", "--user-key").returncode == 0


def test_bench_is_refused_if_it_cannot_run(rbnn: Rbnn) -> None:
    refused(rbnn("bench", "device", "--board", "mars"), "mars", "qemu")
    refused(rbnn("bench", "device", "--arch", "lenet"), "lenet", "resnet")
    refused(rbnn("bench", "device", "--run", "none"), "none", "rbnn train")
    refused(rbnn("bench", "device", "--board", "nucleo"), "USB 0483", "--port PORT")


def test_the_key_may_come_from_standard_input(rbnn: Rbnn, place: Path) -> None:
    rbnn("board", "cycle")
    key = (place / "keys" / "user.key").read_text()
    done = rbnn("switch", "grey", "--user-key", "-", stdin=key)
    assert done.returncode == 0, done.stderr


def test_missing_wrong_and_unreadable_user_keys(rbnn: Rbnn, place: Path) -> None:
    rbnn("board", "cycle")
    refused(rbnn("switch", "grey"), "no user key was given", "--user-key PATH")
    wrong = rbnn("switch", "grey", "--user-key", "mallory.key")
    refused(wrong, "does not open with this key on this device", "user key")
    assert (place / "mallory.key").read_text().split(":")[1] not in wrong.stderr
    refused(rbnn("switch", "grey", "--user-key", "none.key"), "none.key", "rbnn keys new user")
    refused(rbnn("flash"), "No user key was given", "--user-key PATH")
    assert rbnn("switch", "grey", "--user-key").returncode == 0


def test_unknown_names(rbnn: Rbnn) -> None:
    refused(rbnn("switch", "nope"), "no such task", "colour, grey")
    refused(rbnn("switch", "grey", "--board", "mars"), "mars", "qemu")
    refused(rbnn("flash", "none", "--user-key"), "runs/none", "rbnn train")
    refused(rbnn("flash", "--tasks", "nope", "--user-key", "--json"), "nope", "colour, grey")
    rbnn("switch", "grey", "--user-key")
    refused(rbnn("infer", "none.png"), "none.png", "PNG")
    refused(rbnn("switch", "grey", "--board", "nucleo"), "USB 0483", "--port PORT")


def test_exit_codes_tell_a_board_from_a_file(rbnn: Rbnn) -> None:
    rbnn("board", "cycle")
    assert rbnn("switch", "nope").returncode == ExitCode.BOARD
    assert rbnn("switch", "grey", "--board", "nucleo").returncode == ExitCode.BOARD
    assert rbnn("flash", "none", "--user-key").returncode == ExitCode.REFUSED
    assert rbnn("switch", "--nope").returncode == ExitCode.USAGE


def test_power_and_reset_print_documents_and_accept_emulated(rbnn: Rbnn) -> None:
    off = rbnn("board", "off", "--emulated", "--json")
    assert json.loads(off.stdout) == {"board": "qemu", "on": False}
    on = rbnn("board", "on", "--emulated", "--json")
    document = json.loads(on.stdout)
    assert document == {"board": "qemu", "on": True, "port": document["port"]}
    assert "stays on. Power it off with: rbnn board off --board qemu" in on.stderr
    assert "stays on" not in rbnn("board", "cycle", "--json").stderr
    assert json.loads(rbnn("board", "reset", "--json").stdout) == {"board": "qemu", "on": True}


def test_a_command_that_leaves_the_board_on_says_so(rbnn: Rbnn) -> None:
    rbnn("board", "off")
    done = rbnn("switch", "grey", "--user-key")
    assert done.returncode == 0
    line = next(line for line in done.stderr.splitlines() if "stays on" in line)
    assert rbnn(*line.partition("with: rbnn ")[2].split()).returncode == 0
    assert "off" in rbnn("board", "status").stdout
    rbnn("board", "on")


def test_warm_reset(rbnn: Rbnn) -> None:
    assert rbnn("board", "reset").returncode == 0
    refused(rbnn("switch", "grey", "--user-key"), "after power-on", "rbnn board cycle")
    assert rbnn("board", "cycle").returncode == 0
    assert rbnn("switch", "grey", "--user-key").returncode == 0


def test_monitor_sends_piped_commands(rbnn: Rbnn) -> None:
    done = rbnn("monitor", stdin="name%\nfrob%\nprofile%\n")
    lines = done.stdout.splitlines()
    assert lines[:2] == ["m-name-dut-[qemu]", "m-ready"]
    assert lines[2].startswith("e-[unknown-command")
    assert lines[-1] == "m-ready"


def test_a_dry_run_touches_nothing(rbnn: Rbnn, place: Path) -> None:
    files = sorted(file.name for file in (place / "emulated" / "qemu").iterdir())
    done = rbnn("flash", "--board", "nucleo", "--dry-run", "--json")
    assert done.returncode == 0, done.stderr
    plan = json.loads(done.stdout)
    assert [command.split(" ")[0] for command in plan["commands"][1:]] == ["openocd"]
    assert "--target upload" in plan["commands"][0]
    assert sorted(file.name for file in (place / "emulated" / "qemu").iterdir()) == files
    assert not (place / "emulated" / "nucleo").exists()


def test_missing_programs_are_named(rbnn: Rbnn, tmp_path: Path) -> None:
    assert rbnn("board", "off").returncode == 0
    refused(rbnn("board", "on", path=str(tmp_path)), "qemu", "apt-get install qemu-system-arm")
    done = rbnn("flash", "--user-key", "--json", path=str(tmp_path))
    assert done.returncode == 1
    assert "apt-get install gcc-arm-none-eabi" in done.stderr
    assert rbnn("switch", "grey", "--user-key").returncode == 0


def test_a_folder_that_cannot_be_written(rbnn: Rbnn, place: Path) -> None:
    (place / "file").write_text("")
    done = rbnn("flash", "--user-key", "--json", "--device-folder", "file/board")
    assert done.returncode == 1
    assert "Cannot write file/board/" in json.loads(done.stdout)["error"]
    assert "error: Cannot write file/board/" in done.stderr
    assert rbnn("switch", "grey", "--user-key").returncode == 0


@pytest.mark.parametrize("command", ["monitor", "switch colour --user-key -"])
def test_a_closed_standard_input_reads_as_empty(place: Path, command: str) -> None:
    done = subprocess.run(
        ["sh", "-c", f"exec {sys.executable} -m rbnn.cli.main {command} <&-"],
        cwd=place,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert "Traceback" not in done.stderr
    assert done.returncode == (0 if command == "monitor" else 1), done.stderr


def test_a_licence_file_is_issued_and_installed(rbnn: Rbnn, place: Path) -> None:
    """For another user, first until power-off, then in flash."""
    rbnn("board", "cycle")
    issued = rbnn("license", "issue", "random", "--tasks", "grey", "--user-key", "mallory.key")
    assert issued.returncode == 0, issued.stderr
    command = issued.stdout.strip().partition("with: rbnn ")[2].split()
    assert command[:2] == ["license", "install"] and command[-2:] == ["--board", "qemu"]
    refused(rbnn("switch", "grey", "--user-key", "mallory.key"), "does not open", "user key")
    done = rbnn(*command)
    assert done.returncode == 0, done.stderr
    assert "grey: licence" in done.stdout and "until the board's power goes off" in done.stdout
    assert rbnn("switch", "grey", "--user-key", "mallory.key").returncode == 0
    rbnn("board", "cycle")
    refused(rbnn("switch", "grey", "--user-key", "mallory.key"), "does not open", "user key")

    kept = rbnn(*command, "--keep", "--json")
    assert kept.returncode == 0, kept.stderr
    (row,) = json.loads(kept.stdout)["licences"]
    assert row["lasting"] and row["task"] == "grey"
    rbnn("board", "cycle")
    assert rbnn("switch", "grey", "--user-key", "mallory.key").returncode == 0
    assert rbnn("switch", "colour", "--user-key").returncode == 0, "the other task keeps its own"

    (place / "no.licence").write_bytes(b"nothing")
    refused(rbnn("license", "install", "no.licence"), "no.licence", "rbnn license issue")
    refused(rbnn("license", "install", "none.licence"), "none.licence", "rbnn license issue")


def test_flash_without_a_run_names_the_shipped_model(rbnn: Rbnn) -> None:
    refused(rbnn("flash", "--runs", "nowhere", "--user-key"), "nowhere", "rbnn flash --test-only")
