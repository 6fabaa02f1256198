"""What ``rbnn provision`` prints at its end."""

from __future__ import annotations

from collections.abc import Sequence

from rbnn.device.fleet.provision import LineResult
from rbnn.pages.table import Table

_HEADS = ("line", "name", "board", "device", "tasks", "")


def results_table(results: Sequence[LineResult]) -> Table:
    """A row per line."""
    rows = tuple(
        (
            str(one.line),
            one.name,
            one.board,
            one.device[:16],
            ", ".join(licence.task for licence in one.licences),
            f"failed: {one.error}" if one.outcome == "failed" else one.outcome,
        )
        for one in results
    )
    return Table(_HEADS, rows, align="rl")
