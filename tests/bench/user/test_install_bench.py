"""``make bench-install``: it does what docs/install.md says, and counts what that takes."""

from __future__ import annotations

import os
import sys
from collections import Counter
from pathlib import Path

import pytest

import rbnn
from rbnn.bench.user.commands import Ran, run
from rbnn.bench.user.install import REPEATED, STEPS, Measured, page
from rbnn.bench.user.sizes import Sizes, sizes
from rbnn.errors import RbnnError

DOCS = Path(rbnn.__file__).parents[1] / "docs"


def test_the_steps_are_those_of_the_installation_page() -> None:
    block = (DOCS / "install.md").read_text().split("```")[1]
    typed = [line.partition("#")[0].strip() for line in block.splitlines()[1:] if line]
    first, second, *others = typed
    assert first.startswith("python3 -m venv ~/rbnn")
    assert second.startswith("pip install --no-compile rbnn-")
    assert others == [" ".join(step) for step in STEPS]
    assert typed[2:] and len(typed) == 6


def test_a_command_has_its_times_and_those_of_the_board(tmp_path: Path) -> None:
    board = tmp_path / "emulated" / "qemu"
    board.mkdir(parents=True)
    (board / "state.json").write_text(f'{{"pid": {os.getpid()}}}')
    busy = "sum(range(3_000_000)); import time; time.sleep(0.3)"
    done = run([sys.executable, "-c", busy], tmp_path, dict(os.environ), "busy")
    assert done.words == "busy"
    assert done.wall_s > done.own_s > 0.01
    assert done.wall_s >= 0.3
    assert 0 <= done.board_s < done.wall_s
    assert done.beside_s == done.wall_s - done.board_s


def test_a_board_that_is_not_there_takes_no_time(tmp_path: Path) -> None:
    assert run(["true"], tmp_path, dict(os.environ)).board_s == 0


def test_a_command_that_fails_is_named(tmp_path: Path) -> None:
    with pytest.raises(RbnnError, match="`false` fails"):
        run(["false"], tmp_path, dict(os.environ))


def test_sizes_are_by_package_and_byte_code_is_apart(tmp_path: Path) -> None:
    for package in ("pip", "one"):
        described = tmp_path / f"{package}-1.0.dist-info"
        described.mkdir()
        (described / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\n")
        names = [f"{package}/code.py", f"{package}.libs/lib.so", f"{described.name}/METADATA"]
        (described / "RECORD").write_text("".join(f"{name},,\n" for name in names))
        for name in (*names[:2], f"{package}/__pycache__/code.cpython-311.pyc"):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_bytes(bytes(10_000))
    found = sizes(tmp_path)
    assert set(found.code) == {"one"}
    assert 20_000 <= found.code["one"] < 40_000
    assert 10_000 <= found.byte_code["one"] < 20_000
    assert found.largest(3) == ["one"]
    assert found.all == found.total("one")


def test_the_page_says_what_was_measured() -> None:
    ran = Ran("rbnn infer sample.wav", 1.25, 0.5, 0.25, "")
    used = Sizes(Counter(numpy=70_000_000, rbnn=5_000_000), Counter(numpy=4_000_000))
    full = Sizes(used.code, Counter(numpy=14_000_000, rbnn=5_000_000))
    text = page(Measured((ran, ran), ((ran, ran, ran),) * len(REPEATED), used, full))
    assert "| `rbnn infer sample.wav` | 1.25 | 0.50 | 0.25 | 1.00 |" in text
    assert "| 2 commands | 2.50 | 1.00 | 0.50 |" in text
    assert "On the disk: 79 MB" in text and "94 MB if pip compiles all" in text
    assert "| numpy | 74.0 | 4.0 | 14.0 |" in text
    assert "| others | 0.0 | 0.0 | 0.0 |" in text


def test_the_committed_page_keeps_its_goals() -> None:
    text = (DOCS / "benchmarks" / "install.md").read_text()
    waits = [line.split("|") for line in text.splitlines() if line.startswith("| `rbnn")]
    beside = {row[1].strip(): float(row[5]) for row in waits if len(row) == 7}
    for command in (" ".join(REPEATED[0]), "rbnn infer sample.wav"):
        assert beside[f"`{command}`"] < 1.0
