"""The tables that ``rbnn train`` and ``rbnn eval`` print."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from rbnn.train.assess import TaskReport
from rbnn.train.baseline import Comparison


def comparison_table(rows: Sequence[Comparison]) -> Table:
    """Test accuracy by task, beside the task's own network where there is one."""
    with_own = any(row.own is not None for row in rows)
    table = Table(title="Test accuracy")
    table.add_column("task")
    table.add_column("classes", justify="right")
    table.add_column("shared network", justify="right")
    if with_own:
        table.add_column("own network", justify="right")
        table.add_column("difference", justify="right")
    for row in rows:
        cells = [row.task, str(row.classes), f"{row.shared:.2%}"]
        if row.own is not None and row.difference is not None:
            cells += [f"{row.own:.2%}", f"{100 * row.difference:+.2f} points"]
        table.add_row(*cells)
    return table


def assessment_table(reports: Sequence[TaskReport]) -> Table:
    """Accuracy by task; mean and maximum over wrong secrets where they were tried."""
    with_wrong = any(report.wrong_secrets for report in reports)
    table = Table(title="Test accuracy")
    table.add_column("task")
    for name in ("classes", "samples", "accuracy", "chance"):
        table.add_column(name, justify="right")
    if with_wrong:
        for name in ("wrong secrets", "mean", "highest", "no more than chance"):
            table.add_column(name, justify="right")
    for report in reports:
        cells = [
            report.task,
            str(report.classes),
            str(report.samples),
            f"{report.accuracy:.2%}",
            f"{report.chance.high:.2%}",
        ]
        if wrong := report.wrong_secrets:
            cells += [str(len(wrong.accuracies)), f"{wrong.mean:.2%}", f"{wrong.highest:.2%}"]
            cells.append("passed" if wrong.passed else "FAILED")
        table.add_row(*cells)
    return table
