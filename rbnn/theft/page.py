"""A theft experiment as a table for the terminal and as a page in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from rbnn.pages.table import markdown_table
from rbnn.theft.findings import QUESTIONS, StartComparison, TheftReport, Verdict
from rbnn.theft.starts import Start

TITLES = {
    Start.BITS: "stored bits",
    Start.RANDOM: "random bits",
    Start.GLOROT: "usual start",
    Start.LICENCE: "bits + other licence",
    Start.ALONE: "other task's network",
    Start.VICTIM: "control: victim's bits",
}
"""Heads of the columns."""

MARKS = {"passed": "passed", "failed": "FAILED", "open": "open"}


def theft_tables(report: TheftReport) -> RenderableType:
    """Accuracies, and the answers below them."""
    table = Table(title="Test accuracy in % after fine-tuning, by start", title_justify="left")
    table.add_column("victim (other)", no_wrap=True)
    table.add_column("data", justify="right")
    for start in Start:
        table.add_column(TITLES[start], justify="right")
    for victim, row in _accuracy_rows(report):
        if victim:
            table.add_section()
        table.add_row(victim, *row)
    return Group(table, *(Text(_answer(verdict)) for verdict in report.verdicts))


def theft_page(report: TheftReport) -> str:
    """The page ``theft.md``; its plot is in the same folder."""
    experiment = report.experiment
    seeds = ", ".join(str(seed) for seed in report.seeds)
    parts = [
        "# What stolen bits are worth\n",
        f"Written by `{report.command}`; do not edit. How to read it: `docs/theft.md`.\n",
        f"- Attacked run: {report.run} ({report.architecture}, {report.bits:,} bits).",
        f"- Each fine-tuning: {experiment.steps:,} steps, learning rate "
        f"{experiment.learning_rate:g} at the peak; seeds {seeds}.",
        f"- Latent values of starts from bits: {experiment.magnitude:g} times the root mean "
        "square of the usual initial values.\n",
        "## Answers\n",
        markdown_table(
            ["question", "answer", "why"],
            ([one.title, MARKS[one.outcome], one.sentence] for one in report.verdicts),
            align="l",
        ),
        "## Test accuracy, %\n",
        "Means over the seeds, and in brackets half the range.\n",
        "![Test accuracy by share of data and start, and the differences](theft.svg)\n",
        markdown_table(
            ["victim (other)", "data", *TITLES.values()],
            ([victim, *row] for victim, row in _accuracy_rows(report)),
        ),
        "## Differences, percentage points\n",
        "**All**: one pair per victim, the mean over its seeds. A single victim: one pair per "
        "seed, all with the same stolen bits. "
        "*p* is the one-sided p-value (for a gain) of the paired t-test, *Holm* the same corrected "
        "for the tests of its question, *flips* that of the sign-flip permutation test. "
        "*Detectable* is the gain that this number of pairs would find significant four times out "
        "of five.\n",
    ]
    for question in QUESTIONS:
        rows = [one for one in report.comparisons if one.question == question.name]
        parts += [f"### {question.title[0].upper()}{question.title[1:]}\n", _differences(rows)]
    return "\n".join(parts)


def _accuracy_rows(report: TheftReport) -> Iterable[tuple[str, list[str]]]:
    """Victim, named only in its first row, and the cells after it."""
    named = ""
    for one in report.figures:
        victim = f"{one.victim} ({one.other})"
        cells = [f"{one.share:g} % = {one.samples:,}"]
        for start in Start:
            figures = one.of(start)
            spread = (max(figures.accuracies) - min(figures.accuracies)) / 2
            cells.append(f"{figures.mean:.1f} (±{spread:.1f})")
        yield ("" if victim == named else victim), cells
        named = victim


def _differences(comparisons: Sequence[StartComparison]) -> str:
    head = ["victim", "data", "mean", "95 % interval", "pairs"]
    head += ["p", "Holm", "flips", "detectable"]
    rows = []
    for one in comparisons:
        test = one.test
        interval = "" if test.low is None else f"{test.low:+.2f} .. {test.high:+.2f}"
        rows.append(
            [
                one.victim or "**all**",
                f"{one.share:g} %",
                f"{test.mean:+.2f}",
                interval,
                str(test.pairs),
                *(_optional(p, ".3f") for p in (test.p, test.adjusted, test.p_flips)),
                _optional(test.detectable, ".2f"),
            ]
        )
    return markdown_table(head, rows)


def _answer(verdict: Verdict) -> str:
    return f"{MARKS[verdict.outcome]}: {verdict.title}. {verdict.sentence}"


def _optional(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)
