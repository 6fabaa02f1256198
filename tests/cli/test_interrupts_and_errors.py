"""How every command ends that is interrupted, refused or misspelt: one line, or one document."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-m", "rbnn.cli.main"]


def rbnn(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *arguments], cwd=cwd, capture_output=True, text=True)


@pytest.mark.parametrize("seconds", [0.1, 0.2, 0.35, 0.5])
def test_control_c_while_a_command_starts_is_one_line(tmp_path: Path, seconds: float) -> None:
    # It waits for its input when it has started.
    process = subprocess.Popen(
        [*COMMAND, "keys", "show", "/dev/stdin"],
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    time.sleep(seconds)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=60)[1]
    if process.returncode == -signal.SIGINT or "site.py" in said:
        pytest.skip("Python itself had not started yet")
    assert (process.returncode, said) == (130, "interrupted\n")


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
