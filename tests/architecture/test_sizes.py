"""Files and rooms stay small enough to be read in one go."""

from __future__ import annotations

import subprocess
from collections import Counter
from pathlib import Path

import pytest

import rbnn

REPOSITORY = Path(rbnn.__file__).parents[1]
MOST_LINES = 320
MOST_FILES = 24
"""Of one folder, without its sub-folders."""
SOURCES = {".py", ".c", ".cc", ".h", ".S", ".inc", ".ld", ".j2"}
GENERATED = {"firmware/spec/rbnn_spec.h", "rbnn/cost/table.py"}
ONE_FILE_A_COMMAND = {"rbnn/cli", "tests/cli"}


def tracked() -> list[Path]:
    """The sources that belong to the repository, as relative paths."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY, capture_output=True, text=True,
    )  # fmt: skip
    if listed.returncode != 0:
        pytest.skip("needs a git checkout")
    found = [Path(name) for name in listed.stdout.splitlines()]
    return [path for path in found if path.suffix in SOURCES and (REPOSITORY / path).is_file()]


def test_no_source_is_too_long() -> None:
    lengths = {
        path.as_posix(): len((REPOSITORY / path).read_text().splitlines()) for path in tracked()
    }
    long = {name: lines for name, lines in lengths.items() if lines > MOST_LINES}
    assert not set(long) - GENERATED, long


def test_no_room_is_too_full() -> None:
    rooms = Counter(path.parent.as_posix() for path in tracked())
    full = {room: files for room, files in rooms.items() if files > MOST_FILES}
    assert not set(full) - ONE_FILE_A_COMMAND, full
