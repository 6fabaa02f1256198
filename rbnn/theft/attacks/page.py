"""An attack on keys as a table for the terminal and as a page in Markdown."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.text import Text
from scipy.stats import binomtest

from rbnn.pages.table import Table, markdown_table
from rbnn.theft.attacks.attack import Attack
from rbnn.theft.attacks.climb import pull
from rbnn.theft.attacks.findings import AttackReport
from rbnn.theft.attacks.plan import OracleResult, SearchResult
from rbnn.theft.page import MARKS

TITLES = {
    Attack.ORACLE: "A licence for another task as an oracle for key bits",
    Attack.GENETIC: "A genetic search for key bits",
    Attack.GRADIENT: "Gradient descent on a relaxed key stream",
}
PREDICTION_HEADS = ("victim (other)", "seed", "key", "layer", "best predictor", "bits",
                    "right, %", "usual weight, %", "p")  # fmt: skip
SEARCH_HEADS = (
    "victim", "data", "seed", "over", "test accuracy, %", "at first, %", "chance, %",
    "unknown bits", "right, %",
)  # fmt: skip


def attack_tables(report: AttackReport) -> RenderableType:
    """The figures, and the answers below them."""
    heads, rows = _figures(report)
    table = Table(tuple(heads), tuple(tuple(row) for row in rows), TITLES[report.experiment.attack])
    answers = (
        Text(f"{MARKS[one.outcome]}: {one.title}. {one.sentence}") for one in report.verdicts
    )
    return Group(table.rich(), *answers)


def attack_page(report: AttackReport) -> str:
    """The page ``ATTACK.md``."""
    experiment = report.experiment
    heads, rows = _figures(report)
    parts = [
        f"# {TITLES[experiment.attack]}\n",
        f"Written by `{report.command}`; do not edit. How to read it: `docs/theft.md`.\n",
        f"- Attacked run: {report.run}.",
        f"- {_settings(report)}\n",
        "## Answers\n",
        markdown_table(
            ["question", "answer", "why"],
            ([one.title, MARKS[one.outcome], one.sentence] for one in report.verdicts),
            align="l",
        ),
        "## Figures\n",
        markdown_table(heads, rows),
    ]
    if report.oracle:
        parts += [
            "## How even the bits are\n",
            "Percent of ones, with an exact 95 % interval for this figure by itself: of 100 such "
            "intervals, five miss on average.\n",
            _counts(report),
            "## Climbing on the oracle\n",
            _climbs(report),
        ]
    return "\n".join(parts)


def _settings(report: AttackReport) -> str:
    experiment = report.experiment
    match experiment.attack:
        case Attack.GENETIC:
            unknown = "all" if experiment.unknown is None else f"{experiment.unknown:,}"
            return (
                f"Each search tries {experiment.queries:,} keys; in the control, {unknown} bits of "
                "the last layer are unknown, and no others."
            )
        case Attack.GRADIENT:
            return (
                f"Each training: {experiment.steps:,} steps, learning rate "
                f"{experiment.learning_rate:g} at the peak; in the control, {experiment.known:g} % "
                "of the key bits are known."
            )
    return (
        f"Climbing asks {experiment.queries:,} times. A claim fails if one of its tests has a "
        f"p-value below 5 % after Holm's correction for all {len(report.tests)} tests."
    )


def _figures(report: AttackReport) -> tuple[list[str], list[list[str]]]:
    if report.experiment.attack is not Attack.ORACLE:
        return list(SEARCH_HEADS), [_search_row(one) for one in report.searches]
    rows = [
        [
            _pair(one), str(one.seed), row.key, str(row.layer), row.predictor, f"{row.tested:,}",
            _percent(row.hits, row.tested), _percent(row.usual, row.tested), f"{row.p:.2g}",
        ]
        for one in report.oracle
        for row in one.layers
    ]  # fmt: skip
    return list(PREDICTION_HEADS), rows


def _search_row(one: SearchResult) -> list[str]:
    first = "" if one.first_accuracy is None else f"{100 * one.first_accuracy:.1f}"
    right = f"{100 * one.right_bits / one.unknown_bits:.2f}" if one.unknown_bits else ""
    return [
        one.victim, f"{one.share:g} % = {one.samples:,}", str(one.seed), one.ground.value,
        f"{100 * one.test_accuracy:.1f}", first, f"{100 * one.chance:.1f}",
        f"{one.unknown_bits:,}" if one.unknown_bits else "", right,
    ]  # fmt: skip


def _counts(report: AttackReport) -> str:
    rows = {
        (_pair(one), str(row.layer)): (
            f"{row.bits:,}",
            *(_interval(ones, row.bits) for ones in (row.stored, row.key, row.alike, row.weights)),
        )
        for one in report.oracle
        for row in one.counts
    }
    heads = ["victim (other)", "layer", "bits", "stored bits", "victim's key",
             "keys in common", "victim's weights (not tested)"]  # fmt: skip
    return markdown_table(heads, ([*place, *row] for place, row in rows.items()))


def _climbs(report: AttackReport) -> str:
    return markdown_table(
        ["victim (other)", "seed", "layer", "bits", "queries", "as the other's key, %",
         "at first, %", "as the victim's key, %", "at first, %", "keys in common, %", "p"],
        (
            [
                _pair(one), str(one.seed), str(row.layer), str(row.bits), f"{row.queries:,}",
                *(
                    _percent(hits, row.bits, 1)
                    for hits in (row.own, row.start_own, row.wanted, row.start_wanted, row.alike)
                ),
                f"{pull(row.bits, row.alike, row.own, row.wanted):.2g}",
            ]
            for one in report.oracle
            for row in (one.climb,)
        ),
    )  # fmt: skip


def _pair(one: OracleResult) -> str:
    return f"{one.victim} ({one.other})"


def _percent(hits: int, count: int, places: int = 2) -> str:
    return f"{100 * hits / count:.{places}f}"


def _interval(ones: int, count: int) -> str:
    bounds = binomtest(ones, count).proportion_ci()
    return f"{_percent(ones, count)} ({100 * bounds.low:.2f} to {100 * bounds.high:.2f})"
