"""How every command ends that is interrupted, refused or misspelt: one line, or one document."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

PRESS = """
import os, signal, sys

module, sys.argv = sys.argv[1], ["rbnn", "devices"]

class Press:
    def find_spec(self, name, *rest):
        if name == module:
            os.kill(os.getpid(), signal.SIGINT)

from rbnn.cli.main import run
signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it
sys.meta_path.insert(0, Press())
run()
"""
"""Presses Ctrl-C when a module is about to be imported."""
COMMAND = [sys.executable, "-m", "rbnn.cli.main"]


def rbnn(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *arguments], cwd=cwd, capture_output=True, text=True)


@pytest.mark.parametrize("module", ["rbnn.errors", "typer", "rbnn.cli.devices", "sqlalchemy"])
def test_control_c_while_a_command_starts_is_one_line(tmp_path: Path, module: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PRESS, module], cwd=tmp_path, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "interrupted\n")


def test_control_c_ignored_by_the_caller_stays_ignored(tmp_path: Path) -> None:
    ignoring = "import signal, os, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); "
    ignoring += "os.execv(sys.executable, sys.argv[1:])"
    process = subprocess.Popen(
        [sys.executable, "-c", ignoring, *COMMAND, "--version"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
    )
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=60)[0].startswith("rbnn ")


@pytest.mark.parametrize(
    ("arguments", "code", "what"),
    [
        (("devices", "--registry", "none.sqlite"), 1, "There is no registry none.sqlite"),
        (("report", "none"), 1, "none"),
        (("devices", "--no-such-option"), 2, "No such option: --no-such-option"),
    ],
)
def test_an_error_is_a_document_too(
    tmp_path: Path, arguments: tuple[str, ...], code: int, what: str
) -> None:
    plain, document = (rbnn(*arguments, *more, cwd=tmp_path) for more in ((), ("--json",)))
    assert plain.stdout == ""
    assert plain.returncode == document.returncode == code
    said = json.loads(document.stdout)
    assert set(said) == {"error", "try"}
    assert what in said["error"] and said["try"]
    assert document.stderr == plain.stderr
