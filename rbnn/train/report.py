"""The tables that ``rbnn train`` and ``rbnn eval`` print."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.table import Table

from rbnn.train.assess import TaskAssessment

if TYPE_CHECKING:  # it imports TensorFlow, which the integers' accuracy does not need
    from rbnn.train.baseline import TaskSharing


def comparison_table(rows: Sequence[TaskSharing]) -> Table:
    """Test accuracy by task, with that of its single-task network where there is one."""
    with_own = any(row.own is not None for row in rows)
    table = Table(title="Test accuracy")
    table.add_column("task")
    table.add_column("classes", justify="right")
    table.add_column("shared network", justify="right")
    if with_own:
        table.add_column("single-task network", justify="right")
        table.add_column("difference", justify="right")
    for row in rows:
        cells = [row.task, str(row.classes), f"{row.shared:.2%}"]
        if row.own is not None and row.difference is not None:
            cells += [f"{row.own:.2%}", f"{100 * row.difference:+.2f} points"]
        table.add_row(*cells)
    return table


def assessment_tables(reports: Sequence[TaskAssessment]) -> list[Table]:
    """Accuracy by task; where wrong secrets were tried, what they reach and what is allowed."""
    accuracies = Table(title="Test accuracy")
    accuracies.add_column("task")
    for name in ("classes", "samples", "accuracy", "chance"):
        accuracies.add_column(name, justify="right")
    for report in reports:
        chance = report.chance
        accuracies.add_row(
            report.task,
            str(report.classes),
            str(report.samples),
            f"{report.accuracy:.2%}",
            _range(chance.low, chance.high),
        )
    tried = [(report.task, report.wrong_secrets) for report in reports if report.wrong_secrets]
    if not tried:
        return [accuracies]
    wrong = Table(title="Accuracy with wrong secrets forced past the gate")
    wrong.add_column("task")
    for name in ("secrets", "mean", "allowed", "highest", "allowed"):
        wrong.add_column(name, justify="right")
    wrong.add_column("result")
    for task, one in tried:
        wrong.add_row(
            task,
            str(len(one.accuracies)),
            f"{one.mean:.2%}",
            _range(one.mean_from, one.mean_to),
            f"{one.highest:.2%}",
            f"to {one.highest_to:.2%}",
            one.verdict,
        )
    return [accuracies, wrong]


def _range(low: float, high: float) -> str:
    """Both ends in percent, or one where they are the same."""
    first, last = f"{low:.2%}", f"{high:.2%}"
    return last if first == last else f"{first.removesuffix('%')} to {last}"
