"""Geometry of the report's charts; the templates draw them as SVG, in units of about a pixel.

Text keeps its size on a phone: line charts are laid out for a phone's width, and confusion matrices
of many classes scroll sideways within their frame.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rbnn.report.figures import Epoch, Results, TaskReport

WIDTH, HEIGHT = 360, 210
LEFT, RIGHT, TOP, BOTTOM = 44, 12, 12, 34
STEPS = 8
"""Shades of a confusion matrix; shade k begins at a share of ((k - 1) / STEPS) ** 2."""
LONGEST_LABEL = 14


@dataclass(frozen=True)
class Tick:
    """A mark on an axis: its position and its text."""

    at: float
    text: str


@dataclass(frozen=True)
class Line:
    """One curve: ``kind`` is test, train or own (single-task); ``points`` in SVG's notation."""

    kind: str
    points: str
    end: tuple[float, float]


@dataclass(frozen=True)
class LineChart:
    """A chart of values by epoch; ``about`` says in words what it shows."""

    title: str
    about: str
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    lines: tuple[Line, ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    bottom: int = HEIGHT - BOTTOM


@dataclass(frozen=True)
class MatrixCell:
    """A cell of a confusion matrix; ``shade`` is ``right`` or ``wrong`` with 1 .. STEPS."""

    x: float
    y: float
    shade: str
    count: str
    about: str


@dataclass(frozen=True)
class ChartLabel:
    """A class name beside a matrix; ``full`` is not shortened."""

    x: float
    y: float
    text: str
    full: str


@dataclass(frozen=True)
class Matrix:
    """A confusion matrix: rows are true classes, columns predicted ones.

    ``cell`` is the side of a cell, ``side`` that of the whole square; ``font`` and ``label_font``
    are sizes of the text in cells and beside them; ``turned``: column names are vertical.
    """

    width: int
    height: int
    left: int
    top: int
    side: int
    cell: int
    font: float
    label_font: int
    turned: bool
    about: str
    cells: tuple[MatrixCell, ...]
    rows: tuple[ChartLabel, ...]
    columns: tuple[ChartLabel, ...]
    recalls: tuple[ChartLabel, ...]


def accuracy_chart(task: TaskReport) -> LineChart:
    """Accuracy by epoch, in percent."""
    series = [
        ("train", [(one.epoch, 100 * one.train) for one in task.curve]),
        ("own", [(one.epoch, 100 * one.test) for one in task.own_curve]),
        ("test", [(one.epoch, 100 * one.test) for one in task.curve]),
    ]
    last = task.curve[-1]
    about = (
        f"Accuracy of {task.name} by epoch: after epoch {last.epoch} {last.test:.1%} on the test "
        f"set and {last.train:.1%} in training"
    )
    about += f"; the single-task network {task.own:.1%}." if task.own is not None else "."
    return _chart("Accuracy, %", about, series, 10, ceiling=100)


def loss_chart(task: TaskReport) -> LineChart:
    """Training loss by epoch."""
    series = [
        ("own", [(one.epoch, one.loss) for one in task.own_curve]),
        ("train", [(one.epoch, one.loss) for one in task.curve]),
    ]
    last: Epoch = task.curve[-1]
    about = f"Training loss of {task.name} by epoch: {last.loss:.3f} after epoch {last.epoch}."
    return _chart("Training loss", about, series, 0.1, floor=0)


def _chart(
    title: str,
    about: str,
    series: Sequence[tuple[str, Sequence[tuple[int, float]]]],
    span: float,
    floor: float | None = None,
    ceiling: float | None = None,
) -> LineChart:
    values = [value for _, points in series for _, value in points if math.isfinite(value)]
    last = max(epoch for _, points in series for epoch, _ in points)
    low = min(values, default=0.0) if floor is None else floor
    high = max(values, default=1.0)
    low = max(0.0, min(low, high - span))  # so that a flat line looks flat
    high = max(high, low + span)
    marks = [mark for mark in ticks(low, high) if ceiling is None or mark <= ceiling]
    low, high = min(low, marks[0]), max(high, marks[-1])
    step = marks[1] - marks[0] if len(marks) > 1 else 1.0
    digits = max(0, -math.floor(math.log10(step) + 1e-9))

    def x(epoch: float) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * (epoch - 1) / max(last - 1, 1), 1)

    def y(value: float) -> float:
        share = (value - low) / (high - low)
        return round(HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * share, 1)

    lines = []
    for kind, points in series:
        places = [(x(epoch), y(value)) for epoch, value in points if math.isfinite(value)]
        if places:
            lines.append(Line(kind, " ".join(f"{a:g},{b:g}" for a, b in places), places[-1]))
    epochs = sorted({int(mark) for mark in ticks(1, last) if 1 <= mark <= last} | {1, last})
    gap = max(last - 1, 1) / 12  # a mark too close to the last one would touch its text
    return LineChart(
        title=title,
        about=about,
        x_ticks=tuple(
            Tick(x(epoch), str(epoch))
            for epoch in epochs
            if epoch in (1, last) or (epoch - 1 >= gap and last - epoch >= gap)
        ),
        y_ticks=tuple(Tick(y(mark), f"{mark:.{digits}f}") for mark in marks),
        lines=tuple(lines),
    )


def ticks(low: float, high: float) -> list[float]:
    """Round values around ``low`` .. ``high``, about five of them."""
    from matplotlib.ticker import MaxNLocator

    return [
        float(mark) for mark in MaxNLocator(nbins=5, steps=[1, 2, 5, 10]).tick_values(low, high)
    ]


def matrix(task: TaskReport, results: Results) -> Matrix:
    """A task's confusion matrix."""
    labels = task.labels
    count = len(labels)
    cell, font = (30, 11) if count <= 12 else (23, 9.5) if count <= 26 else (20, 9)
    letters = min(max(len(label) for label in labels), LONGEST_LABEL)
    turned = letters > 2
    size = 11 if count <= 26 else 10
    longest = math.ceil(0.62 * size * letters)
    left = 24 + longest + 6
    top = 24 + (longest if turned else size) + 6
    side = cell * count
    cells = []
    for i, row in enumerate(results.confusion):
        total = sum(row)
        for j, found in enumerate(row):
            if found:
                share = found / total
                what = "right" if i == j else "wrong"
                about = (
                    f"{labels[i]} taken for {labels[j]}: {found:,} of {total:,} ({share:.1%})"
                    if i != j
                    else f"{labels[i]} recognised: {found:,} of {total:,} ({share:.1%})"
                )
                cells.append(
                    MatrixCell(
                        left + j * cell,
                        top + i * cell,
                        f"{what}{shade(share)}",
                        str(found) if found < 10_000 else f"{found // 1000}k",
                        about,
                    )
                )
    middle = [(k + 0.5) * cell for k in range(count)]
    return Matrix(
        width=left + side + 40,
        height=top + side + 4,
        left=left,
        top=top,
        side=side,
        cell=cell,
        font=font,
        label_font=size,
        turned=turned,
        about=(
            f"Confusion matrix of {task.name}: {count} classes, {results.accuracy:.1%} of "
            f"{sum(map(sum, results.confusion)):,} test samples classified correctly. The tables "
            "below hold its figures."
        ),
        cells=tuple(cells),
        rows=tuple(
            ChartLabel(left - 6, top + at + 4, _cut(label), label)
            for at, label in zip(middle, labels, strict=True)
        ),
        columns=tuple(
            ChartLabel(left + at, top - 6, _cut(label), label)
            for at, label in zip(middle, labels, strict=True)
        ),
        recalls=tuple(
            ChartLabel(
                left + side + 6, top + at + 4, "" if one.recall is None else f"{one.recall:.0%}", ""
            )
            for at, one in zip(middle, results.classes, strict=True)
        ),
    )


def shade(share: float) -> int:
    """1 .. STEPS for a share above 0; small shares, as most errors are, remain distinguishable."""
    return min(STEPS, math.floor(STEPS * math.sqrt(share)) + 1)


def shade_limits() -> list[float]:
    """Where each shade begins, as shares of 1."""
    return [(k / STEPS) ** 2 for k in range(STEPS)]


def _cut(label: str) -> str:
    return label if len(label) <= LONGEST_LABEL else label[: LONGEST_LABEL - 1] + "…"
