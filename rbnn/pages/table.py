"""A table, written once and shown in the terminal and in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.table import Table as RichTable


@dataclass(frozen=True)
class Table:
    """Heads and rows of text.

    Args:
        heads: one per column.
        rows: each with as many cells as there are heads.
        title: printed in the terminal; a document has its own headings.
        align: one letter per column, ``l`` or ``r``; the last one applies to all further columns.
    """

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    title: str = ""
    align: str = "lr"

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.heads):
                raise ValueError(f"A row must have {len(self.heads)} cells. Received: {row}")

    def rich(self) -> RichTable:
        """For the terminal."""
        table = RichTable(title=self.title or None, title_justify="left")
        for place, head in enumerate(self.heads):
            table.add_column(head, justify="right" if self._is_right(place) else "left")
        for row in self.rows:
            table.add_row(*row)
        return table

    def markdown(self) -> str:
        """For a document: lines without a newline at the end."""
        rules = ("---:" if self._is_right(place) else "---" for place in range(len(self.heads)))
        return "\n".join([_line(self.heads), f"|{'|'.join(rules)}|", *map(_line, self.rows)])

    def _is_right(self, place: int) -> bool:
        return self.align[min(place, len(self.align) - 1)] == "r"


def markdown_table(heads: Sequence[str], rows: Iterable[Sequence[str]], align: str = "lr") -> str:
    """A table for a document, with a newline at the end; arguments as for :class:`Table`."""
    return Table(tuple(heads), tuple(map(tuple, rows)), align=align).markdown() + "\n"


def _line(cells: tuple[str, ...]) -> str:
    escaped = (cell.replace("|", "\\|") for cell in cells)
    return f"| {' | '.join(escaped)} |"
