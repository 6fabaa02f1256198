"""A theft experiment as a plot: accuracy by share of data for each victim, and the differences."""

from __future__ import annotations

import textwrap
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rbnn.pages.plot_style import FAINT, INK, Series, grid, new_figure
from rbnn.theft.findings import QUESTIONS, Question, TheftReport
from rbnn.theft.starts import Start

SERIES = {
    Start.BITS: Series("stored bits, no key", "#D55E00", "o"),
    Start.RANDOM: Series("random bits", INK, "o", hollow=True),
    Start.GLOROT: Series("usual start", FAINT, "s", hollow=True),
    Start.LICENCE: Series("stored bits, another licence", "#0072B2", "^"),
    Start.ALONE: Series("another task's single-task network", "#0072B2", "v", hollow=True),
    Start.VICTIM: Series("control: the victim's own bits", "#009E73", "D"),
}
MOST_COLUMNS = 3
WIDTH_INCHES = 8.4
PANEL_INCHES = 2.2
ROW_INCHES = 0.24
SPREAD = 0.06
"""Between the starts of one share, as a fraction of the distance between shares."""
TITLE_COLUMNS = 46


def theft_plot(report: TheftReport) -> Figure:
    """A panel of accuracies for each victim, and below them the differences of each question."""
    victims = list(dict.fromkeys(one.victim for one in report.figures))
    columns = min(MOST_COLUMNS, len(victims))
    rows = -(-len(victims) // columns)
    heights = [rows * PANEL_INCHES + 0.6, 2 * (len(report.shares) * ROW_INCHES + 0.8) + 0.3]
    figure = new_figure(WIDTH_INCHES, sum(heights))
    parts: Any = figure.subfigures(2, 1, height_ratios=heights)
    above, below = parts
    panels = list(above.subplots(rows, columns, squeeze=False).flat)
    for axes, victim in zip(panels, victims, strict=False):
        _accuracies(axes, report, victim)
    for axes in panels[len(victims) :]:
        axes.set_visible(False)
    handles = [
        panels[0].plot([], [], **series.marks, label=series.label)[0] for series in SERIES.values()
    ]
    above.legend(handles=handles, loc="outside lower center", ncols=3)
    lower = below.subplots(2, 2, sharex="row", sharey=True, squeeze=False)
    for axes, question in zip(lower.flat, QUESTIONS, strict=True):
        _differences(axes, report, question)
    below.supxlabel(
        "Difference in points: mean of all victims with 95 % interval; dots: each victim's mean",
        fontsize=8,
    )
    return figure


def _accuracies(axes: Axes, report: TheftReport, victim: str) -> None:
    """Means over the seeds with their extremes, by share."""
    own = [one for one in report.figures if one.victim == victim]
    for place, (start, series) in enumerate(SERIES.items()):
        shift = (place - (len(SERIES) - 1) / 2) * SPREAD
        values = [one.of(start) for one in own]
        means = [one.mean for one in values]
        axes.errorbar(
            [at + shift for at in range(len(own))],
            means,
            yerr=[
                [mean - min(one.accuracies) for mean, one in zip(means, values, strict=True)],
                [max(one.accuracies) - mean for mean, one in zip(means, values, strict=True)],
            ],
            elinewidth=0.8,
            **{**series.marks, "markersize": 4},
        )
    axes.set_xticks(range(len(own)), [f"{one.share:g} %" for one in own])
    axes.set_xlim(-0.5, len(own) - 0.5)
    axes.set_title(f"{victim}: test accuracy, %")
    axes.set_xlabel("of the training data")
    grid(axes, "y")


def _differences(axes: Axes, report: TheftReport, question: Question) -> None:
    """Mean and 95 % interval of all victims together, by share; a dot for each victim."""
    for one in report.comparisons:
        if one.question != question.name:
            continue
        y = report.shares.index(one.share)
        test = one.test
        if one.victim is not None:
            axes.plot(test.mean, y, marker=".", color=FAINT, markersize=4, zorder=2)
            continue
        if test.low is not None and test.high is not None:
            axes.plot([test.low, test.high], [y, y], color=INK, linewidth=1.4, zorder=3)
        axes.plot(test.mean, y, **{**SERIES[question.gains].marks, "markersize": 5}, zorder=4)
    axes.axvline(0, color=INK, linewidth=0.8, zorder=1)
    axes.set_yticks(range(len(report.shares)), [f"{share:g} %" for share in report.shares])
    axes.set_ylim(len(report.shares) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.set_title(textwrap.fill(question.title, TITLE_COLUMNS))
    grid(axes, "x")
