"""Learning curves: test accuracy after each epoch, single-task and shared, one panel per task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from rbnn.compare.jobs import DEVICE_SCHEME, SINGLE, Job
from rbnn.compare.measured import NetworkMeasurement
from rbnn.pages.plot_style import SERIES, grid, new_figure

SHOWN = (SINGLE, DEVICE_SCHEME)


def learning_curves(names: Sequence[str], measured: Mapping[Job, NetworkMeasurement]) -> Figure:
    """One panel for each task, one line for each seed.

    Args:
        names: of the tasks.
        measured: by network; single-task networks and those under ``xor`` are drawn.
    """
    columns = min(4, len(names))
    rows = -(-len(names) // columns)
    figure = new_figure(max(4.0, 2.3 * columns), 0.6 + 1.9 * rows)
    panels = figure.subplots(rows, columns, squeeze=False, sharex=True)
    used: dict[str, object] = {}
    for place, axes in enumerate(panels.flat):
        if place >= len(names):
            axes.remove()
            continue
        name = names[place]
        for job, one in measured.items():
            if job.network in SHOWN and name in job.tasks:
                series = SERIES[job.network]
                curve = one.task(name).curve
                xs = [point.steps for point in curve]
                ys = [100 * point.test_accuracy for point in curve]
                dashes = "--" if series.hollow else "-"
                marker = series.marker if len(curve) == 1 else None
                (line,) = axes.plot(
                    xs, ys, dashes, color=series.colour, linewidth=1, marker=marker, markersize=3
                )
                used.setdefault(series.label, line)
        axes.set_title(name)
        axes.set_xlim(0, None)
        axes.xaxis.set_major_formatter(FuncFormatter(_thousands))
        grid(axes, "y")
        if place % columns == 0:
            axes.set_ylabel("test accuracy, %")
        if place >= len(names) - columns:
            axes.xaxis.set_tick_params(labelbottom=True)
            axes.set_xlabel("steps")
    figure.legend(
        handles=list(used.values()), labels=list(used), loc="outside lower center", ncols=2
    )
    return figure


def _thousands(value: float, _: object) -> str:
    return f"{value / 1000:g}k" if value >= 1000 else f"{value:g}"
