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
[security.md](security.md).

**A result holds for the commit in its row.** What has changed since is printed by
`git diff --stat COMMIT -- . ':!docs' ':!*.md'`. If that matters to a row, run the row again
before you rely on it.
"""
SUBJECTS = {
    "Fingerprint": (
        "fingerprint-guesses",
        "fingerprint-entropy",
        "fingerprint-real-power-ups",
        "fingerprint-made-up-power-ups",
    ),
    "Keys and licences": (
        "vectors-x25519",
        "vectors-chacha20-poly1305",
        "vectors-noise",
        "random-licences",
        "wrong-users",
        "wrong-devices",
        "swapped-tasks",
        "swapped-parts",
        "forged-bytes",
        "what-may-leave",
    ),
    "State": ("old-licences", "revoked-licences", "power-cuts"),
    "Memory and time": ("ram-differences", "stack", "constant-time", "same-trace"),
    "Faults": ("skips-wrong-key", "skips-limit", "skips-activations"),
    "Parsers": ("fuzz-firmware", "readers-host"),
    "Serial line": ("noisy-line",),
}
"""All rows, in the order of the page."""
NOT_RUN = "not run yet"


class Part(Frozen):
    """What one test of a row measured."""

    test: str
    outcome: Literal["passed", "failed", "skipped"]
    measured: str
    count: int
    seconds: float


class RowResult(Frozen):
    """The file of a row; without parts, and with no commit, if it has not run."""

    name: str
    what: str
    must: str
    commit: str = ""
    date: str = ""
    parts: tuple[Part, ...] = ()
    left: int = 0
    """Parts that have not run."""


def row_file(document: Path, name: str) -> Path:
    """Where a row's result is kept."""
    return document.with_suffix("") / f"{name}.json"


def read_rows(document: Path) -> list[RowResult]:
    """All results, in the order of the page; those of rows that it does not know come last."""
    order = [name for names in SUBJECTS.values() for name in names]
    files = sorted(document.with_suffix("").glob("*.json"))
    rows = [RowResult.model_validate_json(path.read_bytes()) for path in files]
    return sorted(rows, key=lambda row: order.index(row.name) if row.name in order else len(order))


def write_row(document: Path, row: RowResult) -> None:
    """Keep a row's result."""
    write_atomic(row_file(document, row.name), row.model_dump_json(indent=2) + "\n")


def time_text(seconds: float) -> str:
    """For example ``3 s``, ``4 min``, ``2.5 h``."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def measured(row: RowResult) -> str:
    """The figures of a row's parts."""
    if not row.parts:
        return f"*{NOT_RUN}*"
    said = []
    for part in row.parts:
        before = {"passed": "", "failed": "**failed** ", "skipped": "*not run:* "}[part.outcome]
        said.append(before + (part.measured or "no figure"))
    if row.left:
        said.append(f"*{row.left} of {len(row.parts) + row.left} parts {NOT_RUN}*")
    return "; ".join(dict.fromkeys(said))


def _table(rows: list[RowResult]) -> str:
    return markdown_table(
        ["row", "what", "must hold", "measured", "count", "time", "commit, date"],
        [
            (
                f"`{row.name}`",
                row.what,
                row.must,
                measured(row),
                f"{sum(part.count for part in row.parts):,}" if row.parts else "",
                time_text(sum(part.seconds for part in row.parts)) if row.parts else "",
                f"{row.commit}, {row.date}" if row.parts else "",
            )
            for row in rows
        ],
        align="llllrrl",
    )


def document(rows: list[RowResult]) -> str:
    """The page's text."""
    text, left = HEAD, list(rows)
    for subject, names in [*SUBJECTS.items(), ("Others", [row.name for row in rows])]:
        found = [row for row in left if row.name in names]
        left = [row for row in left if row not in found]
        text += f"\n## {subject}\n\n{_table(found)}" if found else ""
    if any(row.commit.endswith("+") for row in rows):
        text += "\nA `+`: measured with changes that were not committed.\n"
    return text


def write_document(path: Path) -> None:
    """Write the page from the files beside it."""
    write_atomic(path, document(read_rows(path)))
