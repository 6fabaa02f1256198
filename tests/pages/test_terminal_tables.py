"""Tables in terminals: every figure is whole, whatever the width."""

from __future__ import annotations

import pytest
from rich.console import Group
from rich.table import Table

from rbnn.pages.terminal import Terminal

FIGURES = ("resnet 128/6/2", "1,923", "4,192.8", "no: flash, RAM")


def table() -> Table:
    made = Table("network", "kbit", "RAM KB", "fits", title="Networks", caption="KB: 1,000 bytes")
    made.add_row(*FIGURES)
    return made


def printed(
    width: int, shown: object, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> str:
    monkeypatch.setenv("COLUMNS", str(width))
    Terminal().print(shown)
    return capsys.readouterr().out


@pytest.mark.parametrize("width", [30, 40, 60, 80, 200])
@pytest.mark.parametrize("grouped", [False, True])
def test_no_figure_is_cut(
    width: int,
    grouped: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = printed(width, Group(table()) if grouped else table(), monkeypatch, capsys)
    for figure in FIGURES:
        assert all(word in text for word in figure.split())
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= width
    assert "Networks" in text and "1,000" in text
    assert ("┃" in text) == (width >= 40)


def test_rows_keep_figure_and_head_together(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = printed(34, table(), monkeypatch, capsys).splitlines()
    assert [line.rstrip() for line in lines[1:4]] == [
        "resnet 128/6/2",
        "  kbit 1,923, RAM KB 4,192.8,",
        "  fits no: flash, RAM",
    ]


def test_a_path_may_be_folded(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = Table("task")
    made.add_column("where", overflow="fold")
    made.add_row("digits", "/x" * 60)
    text = printed(60, made, monkeypatch, capsys)
    assert "┃" in text
    assert text.count("/x") + text.count("/\n") >= 55
