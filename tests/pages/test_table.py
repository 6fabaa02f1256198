"""One table in the terminal and in Markdown."""

from __future__ import annotations

import pytest
from rich.console import Console

from rbnn.pages.table import Table, markdown_table

TABLE = Table(heads=("task", "flash", "RAM"), rows=(("kws", "1,024", ""),), title="Sizes")


def test_markdown_aligns_the_first_column_left_and_figures_right() -> None:
    assert TABLE.markdown() == "| task | flash | RAM |\n|---|---:|---:|\n| kws | 1,024 |  |"


def test_a_bar_in_a_cell_does_not_end_it() -> None:
    assert "| load N \\| print | x |" in markdown_table(["a", "b"], [["load N | print", "x"]])


def test_the_terminal_shows_title_and_cells() -> None:
    console = Console(width=60)
    with console.capture() as captured:
        console.print(TABLE.rich())
    assert all(word in captured.get() for word in ("Sizes", "task", "kws", "1,024"))


def test_a_row_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="A row must have 3 cells"):
        Table(heads=("a", "b", "c"), rows=(("1", "2"),))
