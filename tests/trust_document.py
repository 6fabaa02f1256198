"""docs/trust.md from the results of its rows."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from rbnn.files import write_atomic
from rbnn.frozen import Frozen
from rbnn.pages.table import markdown_table

HEAD = """# Evidence for the security claims

Written by `make trust`, which runs for hours: do not edit. Each row is a test of this repository.
`make test` runs a quick part of it, `make trust` all of it; `make trust ROWS="NAME NAME"` runs some
rows again. An interrupted run goes on where it was. What the claims are:
[security.md](security.md). A row's result holds for its commit.
"""


class Part(Frozen):
    """What one test of a row measured."""

    test: str
    outcome: Literal["passed", "failed", "skipped"]
    measured: str
    count: int
    seconds: float


class RowResult(Frozen):
    """The file of a row."""

    name: str
    what: str
    must: str
    commit: str
    date: str
    parts: tuple[Part, ...]


def row_file(document: Path, name: str) -> Path:
    """Where a row's result is kept."""
    return document.with_suffix("") / f"{name}.json"


def read_rows(document: Path) -> list[RowResult]:
    """All results, by name."""
    files = sorted(document.with_suffix("").glob("*.json"))
    return [RowResult.model_validate_json(path.read_bytes()) for path in files]


def time_text(seconds: float) -> str:
    """For example ``3 s``, ``4 min``, ``2.5 h``."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def measured(row: RowResult) -> str:
    """The figures of a row's parts."""
    said = []
    for part in row.parts:
        before = {"passed": "", "failed": "**failed** ", "skipped": "*not run:* "}[part.outcome]
        said.append(before + (part.measured or "no figure"))
    return "; ".join(dict.fromkeys(said))


def document(rows: list[RowResult]) -> str:
    """The page's text."""
    table = markdown_table(
        ["row", "what", "must hold", "measured", "count", "time", "commit, date"],
        [
            (
                f"`{row.name}`",
                row.what,
                row.must,
                measured(row),
                f"{sum(part.count for part in row.parts):,}",
                time_text(sum(part.seconds for part in row.parts)),
                f"{row.commit}, {row.date}",
            )
            for row in rows
        ],
        align="llllrrl",
    )
    plus = any(row.commit.endswith("+") for row in rows)
    return f"{HEAD}\n{table}" + (
        "\nA `+`: measured with changes that were not committed.\n" if plus else ""
    )


def write_document(path: Path) -> None:
    """Write the page from the files beside it."""
    write_atomic(path, document(read_rows(path)))
