"""The comparison as a plot: mean accuracy against flash, RAM and instructions."""

from __future__ import annotations

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from rbnn.pages.plot_style import FAINT, Series, grid, new_figure
from rbnn.peers.figures import PeerFigures, PeerRow

SERIES = {
    "shared": ("#0072B2", "o", False),
    "binary": ("#0072B2", "v", True),
    "int8": ("#D55E00", "s", False),
    "trunk": ("#E69F00", "^", False),
    "published": ("#D55E00", "s", True),
}
"""Colour, marker and whether it is hollow, by row."""
PANELS = (
    ("flash", "Flash, KB", 1e3),
    ("ram", "RAM, KB", 1e3),
    ("instructions", "Instructions, million", 1e6),
)


def peers_plot(figures: PeerFigures) -> Figure:
    """A panel for each cost; only finished rows are drawn."""
    rows = [row for row in figures.rows if row.mean is not None]
    figure = new_figure(8.4, 3.6)
    panels = figure.subplots(1, len(PANELS), sharey=True)
    for axes, (field, title, unit) in zip(panels, PANELS, strict=True):
        for row in rows:
            value = getattr(row, field) / unit
            mean = 100 * (row.mean or 0.0)
            if row.gap is not None:
                error = (row.gap.high - row.gap.low) / 2
                axes.plot([value, value], [mean - error, mean + error], color=FAINT, linewidth=1)
            axes.plot([value], [mean], **_series(row).marks, zorder=3)
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.margins(x=0.25)
        axes.set_xlabel(title)
        grid(axes, "both")
    panels[0].set_title("Mean test accuracy, %")
    handles = [
        panels[0].plot([], [], **_series(row).marks, label=row.title)[0] for row in figures.rows
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=2)
    return figure


def _series(row: PeerRow) -> Series:
    colour, marker, hollow = SERIES[row.row]
    return Series(row.title, colour, marker, hollow)
