"""An audit as one HTML page that loads nothing from elsewhere, and as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from rbnn.audit.audit import summary
from rbnn.audit.figures import AuditReport, BarChart, Histogram, Outcome
from rbnn.audit.limits import BELT_EVADES, provisional_for
from rbnn.files import PRIVATE, write_atomic
from rbnn.pages.web import environment

STEM = "audit"
FILE = f"{STEM}.json"
THIN = "\N{NARROW NO-BREAK SPACE}"
HEADINGS = {
    Outcome.FOUND: "A trigger was found",
    Outcome.NOTHING: "No trigger of these kinds found",
    Outcome.UNKNOWN: "The audit could not tell",
    Outcome.SKIPPED: "Nothing was run",
}
TONE = {
    Outcome.FOUND: "bad",
    Outcome.NOTHING: "",
    Outcome.UNKNOWN: "bad",
    Outcome.SKIPPED: "soft",
}
"""Class of the text. Nothing is green: an audit does not call anything clean."""
WIDTH, HEIGHT, FOOT = 520, 180, 22


@dataclass(frozen=True)
class HistogramBar:
    """One bar of a histogram, ready to draw."""

    kind: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class DrawnHistogram:
    """A histogram in SVG's units."""

    bars: tuple[HistogramBar, ...]
    ticks: tuple[tuple[float, str], ...]
    threshold: float | None
    width: int = WIDTH
    height: int = HEIGHT
    bottom: int = HEIGHT - FOOT


@dataclass(frozen=True)
class CrossingRow:
    """One trigger, on every task."""

    name: str
    cells: tuple[str, ...]


def page(report: AuditReport) -> str:
    """The HTML page."""
    return _render("audit_page.html.j2", report, autoescape=True)


def markdown_page(report: AuditReport) -> str:
    """The same in Markdown."""
    return _render("audit_page.md.j2", report, autoescape=False)


def write_report(report: AuditReport, folder: Path) -> list[Path]:
    """Write ``audit.html``, ``audit.md`` and ``audit.json``. They hold class names and samples, so
    only their owner may read them.

    Raises:
        RbnnError: a file cannot be written.
    """
    texts = {
        "html": page(report),
        "md": markdown_page(report),
        "json": report.model_dump_json(indent=2) + "\n",
    }
    files = [folder / f"{STEM}.{suffix}" for suffix in texts]
    for path, text in zip(files, texts.values(), strict=True):
        write_atomic(path, text, mode=PRIVATE)
    return files


def tables(report: AuditReport) -> RenderableType:
    """For the terminal: a table for each task."""
    parts: list[RenderableType] = []
    for task in report.tasks:
        table = Table(title=f"{task.task}: {task.outcome}", title_justify="left")
        for head in ("check", "result", "figures", "limit", "seconds"):
            table.add_column(head, justify="right" if head == "seconds" else "left")
        for check in task.checks:
            table.add_row(
                check.title, str(check.outcome), check.said, check.limit, f"{check.seconds:.1f}"
            )
        parts.append(table)
    if report.crossing:
        parts.append(Text("Crossing between tasks, largest share of one class:"))
        names = [task.task for task in report.tasks]
        for row in crossing_rows(report):
            cells = (f"on {name} {cell}" for name, cell in zip(names, row.cells, strict=True))
            parts.append(Text(f"  {row.name}: {', '.join(cells)}"))
    parts.append(Text(summary(report)))
    parts += [Text(f"Note: {note}") for note in notes(report)]
    return Group(*parts)


def crossing_rows(report: AuditReport) -> list[CrossingRow]:
    """The matrix: triggers by task; a cell is empty where a trigger could not be tried."""
    by_row: dict[str, dict[str, str]] = {}
    for one in report.crossing:
        cell = f"{100 * one.share:.1f}{THIN}%"
        by_row.setdefault(f"{one.source}: {one.trigger}", {})[one.task] = cell
    return [
        CrossingRow(name, tuple(cells.get(task.task, "–") for task in report.tasks))
        for name, cells in by_row.items()
    ]


def notes(report: AuditReport) -> list[str]:
    """What a reader must know before the figures."""
    said = []
    if report.quick:
        said.append("A quick audit: no trigger inversion, no float path, one size of patch.")
    if report.form != "run":
        said.append(
            f"Audited from {report.form}: what needs latent weights or training data was not run "
            "where they are missing."
        )
    for task in report.tasks:
        if names := ", ".join(sorted(provisional_for(task.kind))):
            said.append(
                f"{task.task}: provisional limits, which no clean networks stand behind: {names}."
            )
    said += [
        f"{task.task}: {check.title.lower()} could not tell: {check.said}"
        for task in report.tasks
        for check in task.checks
        if check.outcome is Outcome.UNKNOWN
    ]
    return said


def histogram(figures: Histogram) -> DrawnHistogram:
    """Lay a histogram out."""
    top = max(*figures.clean, *figures.other, 1e-9)
    count, bottom = len(figures.clean), HEIGHT - FOOT
    step, last = WIDTH / count, figures.edges[-1]

    def bars(kind: str, shares: Sequence[float], offset: float) -> Iterator[HistogramBar]:
        for place, share in enumerate(shares):
            height = round((bottom - 4) * share / top, 1)
            x = round(place * step + offset, 1)
            yield HistogramBar(kind, x, round(bottom - height, 1), round(step / 2 - 1, 1), height)

    ticks = tuple(
        (round(24 + (WIDTH - 48) * part, 1), f"{last * (24 + (WIDTH - 48) * part) / WIDTH:.1f}")
        for part in (0, 0.25, 0.5, 0.75, 1)
    )
    line = None if figures.threshold is None else round(WIDTH * figures.threshold / last, 1)
    drawn = (*bars("clean", figures.clean, 0), *bars("other", figures.other, step / 2))
    return DrawnHistogram(drawn, ticks, line)


def scale(chart: BarChart) -> float:
    """The value at the right end of a chart's bars."""
    return max(*(bar.value for bar in chart.bars), chart.limit or 0.0, 1e-9)


def _render(template: str, report: AuditReport, *, autoescape: bool) -> str:
    made = environment("rbnn.audit", autoescape=autoescape)
    made.filters |= {
        "percent": lambda share: f"{100 * share:.1f}{THIN}%",
        "number": lambda value: f"{value:,}",
        "duration": _duration,
        "grouped": lambda digits: " ".join(digits[n : n + 8] for n in range(0, len(digits), 8)),
        "markdown": _escaped,
    }
    checks = {check.title: check.blind for task in report.tasks for check in task.checks}
    return made.get_template(template).render(
        report=report,
        heading=HEADINGS[report.outcome],
        summary=summary(report),
        notes=notes(report),
        belt="not run yet" if BELT_EVADES is None else BELT_EVADES,
        passes=sum(check.passes for task in report.tasks for check in task.checks),
        tone=TONE,
        crossing=crossing_rows(report),
        blind=list(checks.items()),
        histogram=histogram,
        scale=scale,
    )


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{seconds:.1f} s"


def _escaped(text: str) -> str:
    marked = "".join(f"\\{mark}" if mark in "\\`*_[]<>|#" else mark for mark in text)
    return " ".join(marked.split())
