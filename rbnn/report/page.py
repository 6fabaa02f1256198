"""The report as one HTML page that loads nothing from elsewhere, and as a Markdown model card."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from rbnn.pages import units
from rbnn.pages.web import environment
from rbnn.report import charts
from rbnn.report.figures import RunReport

MINUS = "−"
NUMERALS = ("One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten")
COMMAND_COLUMNS = 76
THIN = "\N{NARROW NO-BREAK SPACE}"


def page(report: RunReport) -> str:
    """The HTML page, with styles, charts and pictures inline."""
    return _render("run_page.html.j2", report, autoescape=True)


def card(report: RunReport) -> str:
    """The model card, in the sections of Mitchell et al., "Model Cards for Model Reporting"
    (FAT* 2019)."""
    return _render("model_card.md.j2", report, autoescape=False)


def _render(template: str, report: RunReport, *, autoescape: bool) -> str:
    found = environment("rbnn.report", autoescape=autoescape)
    found.filters |= {
        "percent": percent,
        "points": points,
        "number": number,
        "kb": kilobytes,
        "duration": duration,
        "grouped": grouped,
        "listed": listed,
        "markdown": markdown,
        "counted": counted,
        "folded": folded,
    }
    return found.get_template(template).render(report=report, charts=charts)


def percent(share: float | None, digits: int = 1) -> str:
    """A share of 1 as a percentage."""
    return "–" if share is None else f"{100 * share:.{digits}f}{THIN}%"


def points(difference: float | None) -> str:
    """A difference of shares in percentage points, with its sign."""
    if difference is None:
        return "–"
    text = f"{100 * abs(difference):.2f}"
    if float(text) == 0:
        return "0.00"
    return ("+" if difference > 0 else MINUS) + text


def number(value: float | None) -> str:
    """An integer in groups of three."""
    return "–" if value is None else f"{value:,.0f}"


def kilobytes(size: int | None) -> str:
    """Bytes as KB."""
    return "–" if size is None else f"{size / units.KB:,.1f}{THIN}KB"


def duration(seconds: float) -> str:
    """Seconds as hours and minutes, minutes and seconds, or seconds."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def grouped(digits: str) -> str:
    """Hex digits in groups of eight, so that people can compare them."""
    return " ".join(digits[at : at + 8] for at in range(0, len(digits), 8))


def listed(names: Sequence[str]) -> str:
    """Names as in a sentence: ``a, b and c``."""
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def counted(count: int) -> str:
    """A number of things at the beginning of a sentence."""
    return NUMERALS[count - 1] if count <= len(NUMERALS) else str(count)


def folded(line: str) -> str:
    """A command line, broken before options if it is long."""
    parts: list[str] = []
    for word in map(shlex.quote, shlex.split(line)):
        if parts and not word.startswith("--"):
            parts[-1] += f" {word}"
        else:
            parts.append(word)
    lines = parts[:1]
    for part in parts[1:]:
        if len(lines[-1]) + len(part) > COMMAND_COLUMNS:
            lines.append(f"    {part}")
        else:
            lines[-1] += f" {part}"
    return " \\\n".join(lines)


def markdown(text: str) -> str:
    """Text, escaped for a Markdown table."""
    escaped = "".join(f"\\{mark}" if mark in "\\`*_[]<>|#" else mark for mark in text)
    return " ".join(escaped.split())
