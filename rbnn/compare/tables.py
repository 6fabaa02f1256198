"""The comparison's tables, as cells that serve the terminal and Markdown."""

from __future__ import annotations

from rbnn.compare.figures import Accuracies, AccuracyFigures, TaskComparison
from rbnn.compare.jobs import DEVICE_SCHEME, SCHEMES, SINGLE
from rbnn.pages.table import Table

HEADS = {SINGLE: "single-task network", "none": "no key"}


def tables(figures: AccuracyFigures) -> list[Table]:
    """Every table for which there are figures."""
    found = [accuracy_table(figures)] if figures.tasks else []
    if figures.counts:
        found.append(count_table(figures))
    if figures.flash:
        found.append(flash_table(figures))
    if any(task.wrong_secrets for task in figures.tasks):
        found.append(device_table(figures))
    return found


def accuracy_table(figures: AccuracyFigures) -> Table:
    """Test accuracy by task and network, %, and the difference from the single-task network."""
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
    return Table(
        title="Test accuracy, %: mean ± standard deviation over seeds "
        "(difference from the single-task network in points)",
        heads=("task", *(HEADS.get(name, name) for name in shown)),
        rows=tuple(rows),
    )


def count_table(figures: AccuracyFigures) -> Table:
    """Averages against the number of tasks."""
    return Table(
        title="Mean test accuracy of the first M tasks, %, one parameter set under "
        f"{DEVICE_SCHEME}",
        heads=(
            "M",
            "single-task networks",
            "shared",
            "difference",
            "worst task",
            "its difference",
            "seeds",
        ),
        rows=tuple(
            (
                str(one.tasks),
                f"{100 * one.single:.2f}",
                f"{100 * one.accuracy:.2f}",
                _difference(one.drop),
                one.worst_task,
                _difference(one.worst),
                _list(one.seeds),
            )
            for one in figures.counts
        ),
    )


def flash_table(figures: AccuracyFigures) -> Table:
    """Flash against the number of tasks."""
    return Table(
        title="Flash of the networks of M tasks, bytes: bits, tables, sealed parameters, licences",
        heads=("M", "one parameter set", "separate networks", "relative to one separate network"),
        rows=tuple(
            (str(one.count), f"{one.shared:,}", f"{one.separate:,}", f"{one.ratio:.3f}")
            for one in figures.flash
        ),
    )


def device_table(figures: AccuracyFigures) -> Table:
    """Results with wrong secrets and in the device's integers, for the network under ``xor``."""
    return Table(
        title="Wrong secrets forced past the gate, and the device's integers, %",
        heads=(
            "task",
            "chance",
            "wrong secrets",
            "their mean",
            "highest",
            "verdict",
            "integers",
            "same class as Keras",
        ),
        rows=tuple(_device_row(task) for task in figures.tasks if task.wrong_secrets),
    )


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
    """Points from the single-task network; that network itself has +0.00."""
    return f"{0.0 - drop:+.2f}"


def _mean(values: list[float]) -> str:
    return f"{100 * sum(values) / len(values):.2f}" if values else ""


def _list(numbers: tuple[int, ...]) -> str:
    return ", ".join(map(str, numbers))
