"""An export and its check as tables for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from rbnn.export.manifest import Manifest
from rbnn.export.verify import TaskCheck


def size_table(manifest: Manifest) -> Table:
    """Flash of each part, in bytes, compared with separate networks."""
    sizes = manifest.sizes
    table = Table("flash", "bytes", "of shared", "separate network", title="Sizes")
    for column in table.columns[1:]:
        column.justify = "right"
    table.add_row("shared parameters", f"{sizes.shared:,}", "", "")
    for task in sizes.tasks:
        share = f"{100 * task.own / sizes.shared:.1f} %"
        table.add_row(task.name, f"{task.own:,}", share, f"{task.separate:,}")
    table.add_section()
    table.add_row("total", f"{sizes.reconfigurable:,}", "", f"{sizes.separate:,}")
    return table


def check_table(checks: Sequence[TaskCheck]) -> Table:
    """What :func:`rbnn.export.verify.verify_task` found."""
    table = Table(
        "task", "samples", "Keras", "integers", "same class", "C: differing outputs",
        title="Whole test set",
    )  # fmt: skip
    for column in table.columns[1:]:
        column.justify = "right"
    for check in checks:
        table.add_row(
            check.task,
            str(check.samples),
            _percent(check.keras_accuracy),
            _percent(check.accuracy),
            _percent(check.agreement),
            str(check.differing_outputs),
        )
    return table


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.2f} %"
