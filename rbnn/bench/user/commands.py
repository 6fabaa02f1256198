"""Commands as a user gives them, with the time that they take."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rbnn.errors import RbnnError
from rbnn.image.defaults import DEFAULT_BOARD

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Ran:
    """A command that has ended well.

    Args:
        words: what was typed.
        wall_s: from its start to its end.
        own_s: processor time of it and of what it started and waited for.
        board_s: processor time of the emulated board meanwhile.
        said: what it printed.
    """

    words: str
    wall_s: float
    own_s: float
    board_s: float
    said: str

    @property
    def beside_s(self) -> float:
        """What it took beside the emulated board's computing."""
        return self.wall_s - self.board_s


def run(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], words: str = ""
) -> Ran:
    """Run a command and wait for it.

    Args:
        command: its words.
        folder: where; an emulated board is looked for there.
        environment: all of it.
        words: how it is shown, if not as it is.

    Raises:
        RbnnError: it fails.
    """
    board = folder / "emulated" / DEFAULT_BOARD
    before, started = _board_s(board), time.monotonic()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=said, stderr=said
        )
        _, status, used = os.wait4(process.pid, 0)
        wall_s = time.monotonic() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        text = said.read().decode(errors="replace")
    shown = words or " ".join(command)
    if process.returncode:
        raise RbnnError(f"`{shown}` fails: {text[-2000:].strip()}")
    after = _board_s(board)
    board_s = after[1] - (before[1] if before[0] == after[0] else 0.0)
    return Ran(shown, wall_s, used.ru_utime + used.ru_stime, board_s, text)


def _board_s(folder: Path) -> tuple[int, float]:
    """Process and processor time of an emulated board; zeros if none runs."""
    try:
        pid = int(json.loads((folder / "state.json").read_text())["pid"])
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (OSError, ValueError, KeyError):
        return 0, 0.0
    return pid, (int(fields[11]) + int(fields[12])) / _TICKS
