"""The table of `rbnn provision`, and what is kept of its progress."""

from __future__ import annotations

from pathlib import Path

import pytest

from rbnn.device.fleet.lines import Line, read_lines
from rbnn.device.fleet.progress import Progress, read_progress, state_file
from rbnn.errors import RbnnError

HEADS = "board,port,name,user_key,tasks\n"


def table(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "fleet.csv"
    file.write_text(text, "utf-8")
    return file


def test_lines_are_read_as_spreadsheets_write_them(tmp_path: Path) -> None:
    text = "\ufeffName, User_Key,TASKS,board,port\r\nhall,ann.key,digits;words,qemu,\r\n\r\n"
    text += 'attic,bob.key,"digits, words",nucleo,/dev/ttyACM1\r\n'
    hall, attic = read_lines(table(tmp_path, text))
    assert hall == Line(2, "qemu", "", "hall", "ann.key", "digits,words")
    assert attic == Line(4, "nucleo", "/dev/ttyACM1", "attic", "bob.key", "digits,words")
    assert hall.digest != attic.digest


def test_port_and_tasks_may_be_left_out(tmp_path: Path) -> None:
    (line,) = read_lines(table(tmp_path, "board,name,user_key\nqemu,hall,ann.key\n"))
    assert (line.port, line.tasks, line.problem) == ("", "", "")


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("qemu,,,ann.key,", "no name"),
        (",,hall,ann.key,", "no board"),
        ("qemu,,hall,,", "no user_key"),
        ("qemu,,hall", "no user_key"),
        ("qemu,,hall,-,", "must be a file"),
        ("qemu,,hall,ann.key,;", "leave the cell empty for all"),
        ("qemu,,hall,ann.key,digits,words", "put tasks in quotes"),
        ("qemu,,../hall,ann.key,", "usable for a folder"),
        ("qemu,,.,ann.key,", "usable for a folder"),
        (f"qemu,,{'x' * 65},ann.key,", "at most 64 characters"),
        ("qemu,,first,ann.key,", "Line 2 has the same name"),
    ],
)
def test_a_bad_line_says_why_and_spoils_no_other(tmp_path: Path, row: str, problem: str) -> None:
    text = f"{HEADS}qemu,,first,ann.key,\n{row}\nqemu,,last,ann.key,\n"
    first, bad, last = read_lines(table(tmp_path, text))
    assert problem in bad.problem
    assert not first.problem and not last.problem


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "lacks the column 'board'"),
        ("board,name\nqemu,hall\n", "lacks the column 'user_key'"),
        ("board,name,user_key,colour\n", "a column too many: 'colour'"),
        ("board,name,user_key,name\n", "a column too many: 'name'"),
        (HEADS, "no line below"),
        ("board;name;user_key\nqemu;hall;ann.key\n", "lacks the column 'board'"),
    ],
)
def test_tables_that_are_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(RbnnError, match=said) as refusal:
        read_lines(table(tmp_path, text))
    assert refusal.value.fix


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00")
    for name in ("binary.csv", "missing.csv"):
        with pytest.raises(RbnnError, match=name):
            read_lines(tmp_path / name)


def test_progress_is_kept_and_continued(tmp_path: Path) -> None:
    file = state_file(table(tmp_path, f"{HEADS}qemu,,hall,ann.key,digits\n"))
    (line,) = read_lines(tmp_path / "fleet.csv")
    assert not read_progress(file, "runs/a").has(line)
    read_progress(file, "runs/a").with_line(line, "ab" * 32).write(file)
    assert file.stat().st_mode & 0o777 == 0o600
    again = read_progress(file, "runs/a")
    assert again.has(line) and again.done["hall"].device == "ab" * 32
    (changed,) = read_lines(table(tmp_path, f"{HEADS}qemu,,hall,bob.key,digits\n"))
    assert not again.has(changed)
    with pytest.raises(RbnnError, match="with runs/a, not with runs/b"):
        read_progress(file, "runs/b")
    file.write_text('{"source": 1}')
    with pytest.raises(RbnnError, match="is damaged: source"):
        read_progress(file, "runs/a")
    assert Progress(source="runs/a").done == {}
