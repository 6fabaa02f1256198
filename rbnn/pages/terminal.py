"""Standard output for results: tables keep every figure whole, on a terminal of any width."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.measure import Measurement
from rich.padding import Padding
from rich.table import Column, Table
from rich.text import Text

WIDTH_OF_A_FILE = 120
INDENT = 2
NARROWEST_FOLD = 16
"""Cells of a column whose overflow is ``fold``, such as paths, may be cut into pieces this wide."""


class Terminal(Console):
    """A console as wide as the terminal, as ``COLUMNS``, or 120 columns in a file.

    A table whose words and figures do not fit is printed row by row instead, each cell with the
    head of its column. Square brackets in names of files and classes are not markup.
    """

    def __init__(self) -> None:
        known = sys.stdout.isatty() or os.environ.get("COLUMNS", "").isdecimal()
        super().__init__(
            width=None if known else WIDTH_OF_A_FILE, markup=False, emoji=False, highlight=False
        )

    def print(self, *objects: Any, **options: Any) -> None:
        """Print as usual; tables so that they fit."""
        super().print(*(self._fitted(one) for one in objects), **options)

    def _fitted(self, printed: RenderableType) -> RenderableType:
        if isinstance(printed, Group):
            return Group(*(self._fitted(one) for one in printed.renderables))
        if not isinstance(printed, Table):
            return printed
        for column in printed.columns:
            column.min_width = self._least(column)
        frame = self.measure(Table(*[""] * len(printed.columns), box=printed.box)).minimum
        if frame + sum(int(column.min_width or 0) for column in printed.columns) <= self.width:
            return printed
        return Group(*_rows(printed, self.width))

    def _least(self, column: Column) -> int:
        """Cells that its longest word takes."""
        parts = [*column.cells, *([column.header] if column.header else [])]
        words = max((Measurement.get(self, self.options, one).minimum for one in parts), default=0)
        return min(words, NARROWEST_FOLD) if column.overflow == "fold" else words


def _rows(table: Table, width: int) -> Iterator[RenderableType]:
    """A table as text: a line with the first cell of each row, and lines with the others."""
    if table.title:
        yield Text(str(table.title))
    heads = [str(column.header) if table.show_header else "" for column in table.columns[1:]]
    for cells in zip(*(column.cells for column in table.columns), strict=True):
        first, *others = map(str, cells)
        pairs = [f"{head} {cell}".strip() for head, cell in zip(heads, others, strict=True) if cell]
        whole = f"{first}: {', '.join(pairs)}"
        if not pairs or len(whole) <= width:
            yield Text(whole if pairs else first)
            continue
        yield Text(first)
        yield from (
            Padding(Text(line), (0, 0, 0, INDENT), expand=False) for line in _packed(pairs, width)
        )
    if table.caption:
        yield Text(str(table.caption))


def _packed(pairs: list[str], width: int) -> Iterator[str]:
    """Pairs of head and cell in as few lines as hold them, each pair in one line if it fits."""
    line = ""
    for pair in pairs:
        if line and INDENT + len(line) + len(pair) + len(", ,") > width:
            yield f"{line},"
            line = ""
        line += f", {pair}" if line else pair
    yield line
