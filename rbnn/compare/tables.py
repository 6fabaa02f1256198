"""The comparison's tables, once as cells for the terminal and for Markdown."""

from __future__ import annotations

from dataclasses import dataclass

from rich.table import Table

from rbnn.compare.figures import Accuracies, AccuracyFigures, TaskComparison
from rbnn.compare.jobs import DEVICE_SCHEME, SCHEMES, SINGLE

HEADS = {SINGLE: "own network", "none": "no key"}


@dataclass(frozen=True)
class Cells:
    """A table: title, heads, rows. All columns but the first are numbers."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def rich(self) -> Table:
        """For the terminal."""
        table = Table(title=self.title, title_justify="left")
        for place, head in enumerate(self.heads):
            table.add_column(head, justify="right" if place else "left")
        for row in self.rows:
            table.add_row(*row)
        return table

    def markdown(self) -> str:
        """For a document, without the title."""
        lines = [
            "| " + " | ".join(self.heads) + " |",
            "|---|" + "---:|" * (len(self.heads) - 1),
            *("| " + " | ".join(cell or " " for cell in row) + " |" for row in self.rows),
        ]
        return "\n".join(lines)


def tables(figures: AccuracyFigures) -> list[Cells]:
    """Every table for which there are figures."""
    found = [accuracy_table(figures)] if figures.tasks else []
    if figures.counts:
        found.append(count_table(figures))
    if figures.flash:
        found.append(flash_table(figures))
    if any(task.wrong_secrets for task in figures.tasks):
        found.append(device_table(figures))
    return found


def accuracy_table(figures: AccuracyFigures) -> Cells:
    """Test accuracy by task and network, %, with the difference to the own network in points."""
    there = {name for task in figures.tasks for name in task.networks}
    shown = [name for name in (SINGLE, *SCHEMES) if name in there]
    rows = [
        (task.name, *(_accuracy(task.networks.get(name)) for name in shown))
        for task in figures.tasks
    ]
    averages = [""] * len(shown)
    for place, name in enumerate(shown):
        average = figures.average(name)
        if average:
            averages[place] = f"{100 * average.accuracy:.2f} ({_difference(average.drop)})"
            averages[0] = averages[0] or f"{100 * average.single:.2f}"
    if any(averages):
        rows.append(("average", *averages))
    return Cells(
        "Test accuracy, %: mean ± standard deviation over seeds (points against the own network)",
        ("task", *(HEADS.get(name, name) for name in shown)),
        tuple(rows),
    )


def count_table(figures: AccuracyFigures) -> Cells:
    """Averages against the number of tasks."""
    return Cells(
        f"Mean test accuracy of the first M tasks, %, one parameter set under {DEVICE_SCHEME}",
        ("M", "own networks", "shared", "difference", "worst task", "its difference", "seeds"),
        tuple(
            (
                str(one.tasks), f"{100 * one.single:.2f}", f"{100 * one.accuracy:.2f}",
                _difference(one.drop), one.worst_task, _difference(one.worst), _list(one.seeds),
            )
            for one in figures.counts
        ),
    )  # fmt: skip


def flash_table(figures: AccuracyFigures) -> Cells:
    """Flash against the number of tasks."""
    return Cells(
        "Flash of the networks of M tasks, bytes: bits, tables, sealed parameters, licences",
        ("M", "one parameter set", "separate networks", "against one separate network"),
        tuple(
            (str(one.count), f"{one.shared:,}", f"{one.separate:,}", f"{one.ratio:.3f}")
            for one in figures.flash
        ),
    )


def device_table(figures: AccuracyFigures) -> Cells:
    """Wrong secrets, and the device's integers, of the network under ``xor``."""
    return Cells(
        "Wrong secrets forced past the gate, and the device's integers, %",
        (
            "task", "chance", "wrong secrets", "their mean", "highest", "verdict",
            "integers", "same class as Keras",
        ),
        tuple(_device_row(task) for task in figures.tasks if task.wrong_secrets),
    )  # fmt: skip


def _device_row(task: TaskComparison) -> tuple[str, ...]:
    wrong = list(task.wrong_secrets.values())
    every = [value for one in wrong for value in one.accuracies]
    integers = list(task.integers.values())
    low, high = 100 * task.chance.low, 100 * task.chance.high
    return (
        task.name,
        f"{low:.1f}" if high - low < 0.05 else f"{low:.1f} to {high:.1f}",
        str(len(every)),
        f"{100 * sum(every) / len(every):.2f}",
        f"{100 * max(every):.2f}",
        next((one.verdict for one in wrong if not one.passed), wrong[0].verdict),
        _mean([one.accuracy for one in integers]),
        _mean([one.agreement for one in integers]),
    )


def _accuracy(found: Accuracies | None) -> str:
    if found is None:
        return ""
    text = f"{100 * found.mean:.2f}"
    if found.deviation is not None:
        text += f" ± {100 * found.deviation:.2f}"
    return text if found.drop is None else f"{text} ({_difference(found.drop)})"


def _difference(drop: float) -> str:
    """Points against the own network; a network against itself has +0.00."""
    return f"{0.0 - drop:+.2f}"


def _mean(values: list[float]) -> str:
    return f"{100 * sum(values) / len(values):.2f}" if values else ""


def _list(numbers: tuple[int, ...]) -> str:
    return ", ".join(map(str, numbers))
