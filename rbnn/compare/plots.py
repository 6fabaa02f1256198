"""Plots of a comparison as a whole: accuracy by task, against the number of tasks, and flash."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from rbnn.compare.figures import AccuracyFigures, Flash, NetworkAverage, TaskComparison
from rbnn.compare.jobs import DEVICE_SCHEME, SINGLE, count_network
from rbnn.pages.plot_style import FAINT, INK, SERIES, WARNING, Series, grid, new_figure
from rbnn.pages.units import kilobytes

GOAL_POINTS = 1.0
"""Most that a task may lose against its single-task network."""
ROW_INCHES = 0.55
BAND = "#cccccc"


def by_task(figures: AccuracyFigures) -> Figure:
    """Test accuracy of each task in each network, and what it loses: mean, and every seed.

    The second panel is omitted until there is a shared network.
    """
    tasks = figures.tasks
    shown = [name for name in SERIES if any(name in task.networks for task in tasks)]
    compared = any(one.drops for task in tasks for one in task.networks.values())
    figure = new_figure(8.2 if compared else 4.6, 1.5 + ROW_INCHES * len(tasks))
    left, *others = figure.subplots(1, 2 if compared else 1, sharey=True, squeeze=False)[0]
    for row, task in enumerate(tasks):
        for place, name in enumerate(shown):
            if name not in task.networks:
                continue
            found = task.networks[name]
            y = row + _offset(place, len(shown))
            _spread(left, SERIES[name], [100 * value for value in found.seeds.values()], y)
            if found.drops:
                _spread(others[0], SERIES[name], [-drop for drop in found.drops.values()], y)
    left.set_yticks(range(len(tasks)), [task.name for task in tasks])
    left.set_ylim(len(tasks) - 0.3, -0.5)
    left.set_title("Test accuracy, %: mean and range of seeds")
    for right in others:
        right.set_title("Difference from the single-task network, points")
        _mark_goal(right)
    for axes in (left, *others):
        grid(axes, "x")
        axes.tick_params(axis="y", length=0)
    handles = [
        left.plot([], [], **SERIES[name].marks, label=SERIES[name].label)[0] for name in shown
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(shown))
    return figure


def by_count(figures: AccuracyFigures) -> Figure:
    """What sharing costs as the parameter set serves more tasks: 1 is a single-task network."""
    counts = figures.counts
    figure = new_figure(8.2, 3.4)
    left, right = figure.subplots(1, 2)
    xs = [one.tasks for one in counts]
    for name, values in (
        (SINGLE, [one.single for one in counts]),
        (DEVICE_SCHEME, [one.accuracy for one in counts]),
    ):
        marks = {**SERIES[name].marks, "linestyle": "-", "linewidth": 1.4}
        left.plot(xs, [100 * value for value in values], **marks, label=SERIES[name].label)
    left.set_title("Mean test accuracy of the first M tasks, %")
    left.legend(loc="best")
    right.axhline(0, color=INK, linewidth=0.8, zorder=1)
    ends = []
    for task in figures.tasks:
        line = _drops_by_count(task, counts, len(figures.tasks))
        if line:
            right.plot(*zip(*line, strict=True), color=FAINT, linewidth=0.9, marker=".")
            ends.append((line[-1][1], task.name))
    right.plot(
        xs, [-one.drop for one in counts],
        **{**SERIES[DEVICE_SCHEME].marks, "linestyle": "-", "linewidth": 1.8},
    )  # fmt: skip
    ends.append((-counts[-1].drop, "mean"))
    _label_ends(right, xs[-1], ends)
    right.set_title("Difference from the single-task network, points")
    for axes in (left, right):
        axes.set_xlabel("M, tasks in one parameter set")
        axes.set_xticks(xs)
        grid(axes, "y")
    return figure


def flash_by_count(flash: Sequence[Flash]) -> Figure:
    """Flash of one shared network and of separate ones, including everything that a task needs."""
    figure = new_figure(5.6, 3.4)
    axes = figure.subplots()
    counts = [one.count for one in flash]
    for label, series, values in (
        ("separate networks", SERIES[SINGLE], [one.separate for one in flash]),
        ("one parameter set", SERIES[DEVICE_SCHEME], [one.shared for one in flash]),
    ):
        axes.plot(counts, values, **{**series.marks, "linestyle": "-", "linewidth": 1.4})
        axes.annotate(
            f"{label}\n{kilobytes(values[-1])} KB", (counts[-1], values[-1]), (-6, 10),
            textcoords="offset points", ha="right", va="bottom", color=series.colour,
        )  # fmt: skip
    axes.set_title("Flash of the networks of M tasks, KB")
    axes.set_xlabel("M, tasks")
    axes.set_xticks(counts)
    axes.set_xlim(counts[0] - 0.3, counts[-1] + 0.3)
    axes.set_ylim(0, 1.18 * max(flash[-1].separate, flash[-1].shared))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: kilobytes(value)))
    grid(axes, "y")
    return figure


def wrong_secrets(tasks: Sequence[TaskComparison]) -> Figure:
    """Accuracy with every wrong secret that was tried, with chance and the right secret's."""
    tried = [task for task in tasks if task.wrong_secrets]
    figure = new_figure(7.2, 1.5 + 0.42 * len(tried))
    axes = figure.subplots()
    right = SERIES[DEVICE_SCHEME]
    for row, task in enumerate(tried):
        found = [a for one in task.wrong_secrets.values() for a in one.accuracies]
        offsets = [(number % 5 - 2) * 0.07 for number in range(len(found))]
        low, high = 100 * task.chance.low, 100 * task.chance.high
        axes.fill_between([low, max(high, low + 0.25)], row - 0.38, row + 0.38, color=BAND, lw=0)
        axes.plot(
            [100 * value for value in found], [row + offset for offset in offsets],
            color=WARNING, marker="o", markersize=2.6, linestyle="none", alpha=0.65, mew=0,
        )  # fmt: skip
        axes.plot([100 * task.networks[DEVICE_SCHEME].mean], [row], **right.marks)
    axes.set_yticks(range(len(tried)), [task.name for task in tried])
    axes.set_ylim(len(tried) - 0.5, -0.5)
    axes.set_xlim(0, 101)
    axes.tick_params(axis="y", length=0)
    axes.set_title("Test accuracy with wrong secrets forced past the gate, %")
    grid(axes, "x")
    handles = [
        axes.plot([], [], color=BAND, linewidth=6, label="chance")[0],
        axes.plot([], [], color=WARNING, marker="o", markersize=4, mew=0, linestyle="none",
                  label="a wrong secret")[0],
        axes.plot([], [], **right.marks, label="the right secret")[0],
    ]  # fmt: skip
    figure.legend(handles=handles, loc="outside lower center", ncols=3)
    return figure


def _mark_goal(axes: Axes) -> None:
    """Lines at no difference and at the most that a task may lose."""
    axes.axvline(0, color=INK, linewidth=0.8, zorder=1)
    low, high = axes.get_xlim()
    axes.set_xlim(min(low, -2.5 * GOAL_POINTS), max(high, 0.4))
    axes.axvline(-GOAL_POINTS, color=WARNING, linewidth=0.8, linestyle=(0, (4, 3)), zorder=1)
    axes.annotate(
        f"goal: lose at most {GOAL_POINTS:g}", (-GOAL_POINTS, 0), (-3, 3), ha="right",
        xycoords=("data", "axes fraction"), textcoords="offset points", color=WARNING, fontsize=7,
    )  # fmt: skip


def _offset(place: int, count: int) -> float:
    """Offset of series ``place`` of ``count`` within a row of height 1."""
    return 0.0 if count == 1 else 0.5 * (place / (count - 1) - 0.5)


def _spread(axes: Axes, series: Series, values: Sequence[float], y: float) -> None:
    """The mean as a marker, a line from the lowest to the highest seed."""
    axes.plot([min(values), max(values)], [y, y], color=series.colour, linewidth=1.4, zorder=2)
    axes.plot([sum(values) / len(values)], [y], **series.marks, zorder=3)


def _drops_by_count(
    task: TaskComparison, counts: Sequence[NetworkAverage], all_tasks: int
) -> list[tuple[float, float]]:
    """(M, difference in points) wherever the task is one of the M; M = 1 is the single-task one."""
    line = [(1.0, 0.0)] if counts[0].tasks == 1 else []
    for one in counts:
        name = DEVICE_SCHEME if one.tasks == all_tasks else count_network(one.tasks)
        found = task.networks.get(name)
        if found and found.drop is not None:
            line.append((float(one.tasks), -found.drop))
    return line if line[1:] or counts[0].tasks > 1 else []


def _label_ends(axes: Axes, x: float, ends: Sequence[tuple[float, str]]) -> None:
    """Name each line at its right end, with enough distance to be readable."""
    axes.yaxis.set_major_locator(MaxNLocator(nbins=6, steps=[1, 2, 5, 10]))
    low, high = axes.get_ylim()
    apart = 0.062 * (high - low)
    placed: list[float] = []
    for value, name in sorted(ends):
        y = value if not placed else max(value, placed[-1] + apart)
        placed.append(y)
        axes.annotate(
            name, (x, value), (1.04 * x, y), va="center", fontsize=8,
            color=SERIES[DEVICE_SCHEME].colour if name == "mean" else INK,
            fontweight="bold" if name == "mean" else "normal", annotation_clip=False,
        )  # fmt: skip
    axes.set_ylim(low, max(high, placed[-1] + apart / 2))
