"""An attack on keys as a table for the terminal and as a page in Markdown."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.text import Text

from rbnn.pages.table import Table, markdown_table
from rbnn.theft.attacks.findings import AttackReport
from rbnn.theft.attacks.plan import Attack, SearchResult
from rbnn.theft.page import MARKS

TITLES = {
    Attack.ORACLE: "A licence for another task as an oracle for key bits",
    Attack.GENETIC: "A genetic search for key bits",
    Attack.GRADIENT: "Gradient descent on a relaxed key stream",
}
HEADS = {
    Attack.ORACLE: ("victim (other)", "seed", "key", "layer", "best predictor", "bits",
                    "right, %", "interval, %", "usual weight, %", "p"),
}  # fmt: skip
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
        parts += ["## Climbing on the oracle\n", _climbs(report)]
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
    return f"Climbing asks {experiment.queries:,} times; intervals allow for the number of layers."


def _figures(report: AttackReport) -> tuple[list[str], list[list[str]]]:
    if report.experiment.attack is not Attack.ORACLE:
        return list(SEARCH_HEADS), [_search_row(one) for one in report.searches]
    rows = [
        [
            f"{one.victim} ({one.other})", str(one.seed), row.key, str(row.layer), row.predictor,
            f"{row.tested:,}", f"{row.accuracy:.2f}", f"{row.low:.2f} .. {row.high:.2f}",
            f"{row.prior:.2f}", f"{row.beyond:.3f}",
        ]
        for one in report.oracle
        for row in one.layers
    ]  # fmt: skip
    return list(HEADS[Attack.ORACLE]), rows


def _search_row(one: SearchResult) -> list[str]:
    first = "" if one.first_accuracy is None else f"{100 * one.first_accuracy:.1f}"
    right = f"{100 * one.right_bits / one.unknown_bits:.2f}" if one.unknown_bits else ""
    return [
        one.victim, f"{one.share:g} % = {one.samples:,}", str(one.seed), one.ground.value,
        f"{100 * one.test_accuracy:.1f}", first, f"{100 * one.chance:.1f}",
        f"{one.unknown_bits:,}" if one.unknown_bits else "", right,
    ]  # fmt: skip


def _climbs(report: AttackReport) -> str:
    return markdown_table(
        ["victim (other)", "seed", "layer", "bits", "queries", "as the other's key, %",
         "as the victim's key, %"],
        (
            [
                f"{one.victim} ({one.other})", str(one.seed), str(one.climb.layer),
                str(one.climb.bits), f"{one.climb.queries:,}",
                f"{100 * one.climb.own / one.climb.bits:.1f}",
                f"{100 * one.climb.wanted / one.climb.bits:.1f}",
            ]
            for one in report.oracle
        ),
    )  # fmt: skip
