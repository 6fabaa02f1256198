"""A measurement of the audit as tables for the terminal and as a page in Markdown."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.text import Text

from rbnn.audit.attacks.kinds import AttackKind
from rbnn.audit.bench.findings import AuditBenchReport, rate_text
from rbnn.pages.table import Table


def bench_tables(report: AuditBenchReport) -> RenderableType:
    """For the terminal."""
    tables = [table.rich() for table in (_goals(report), _kinds(report), _crossing(report))]
    return Group(*tables, Text(_belt(report)))


def bench_page(report: AuditBenchReport) -> str:
    """For a document."""
    one = report.experiment
    parts = [
        "# What the audit finds, and what it misses\n",
        f"{_belt(report)}\n",
        f"Networks: {one.architecture}, width {one.width}, {one.steps} steps of {one.batch} "
        f"samples; {100 * one.share:.0f} % of the victim's training samples are poisoned. Poisoned "
        "data are TEST-ONLY, made in memory. Intervals are Clopper and Pearson's, 95 %. Limits "
        "were set before, from other clean networks.\n",
        f"```sh\n{report.command}\n```\n",
        f"## Goals\n\n{_goals(report).markdown()}\n",
        f"## By kind of attack, networks of one task\n\n{_kinds(report).markdown()}\n",
        f"## Crossing between tasks of one set\n\n{_crossing(report).markdown()}\n",
        "## Dormant kind\n",
        f"Asleep in the latent values (at most chance + 5 points), awake in the integers (90 % and "
        f"more): {rate_text(report.dormant_shown)}. Of these, found on the integers: "
        f"{rate_text(report.dormant_found)}; missed on the latent values: "
        f"{rate_text(report.dormant_missed_by_float)}.\n",
    ]
    return "\n".join(parts)


def _belt(report: AuditBenchReport) -> str:
    for one in report.kinds:
        if one.kind is AttackKind.BELT and one.strong.count:
            missed = one.strong.count - one.strong.hits
            return (
                f"Exclusive triggers (BELT): {missed} of {one.strong.count} evade the audit "
                f"(found: {rate_text(one.strong)})."
            )
    return "Exclusive triggers (BELT): not run yet."


def _goals(report: AuditBenchReport) -> Table:
    rows = tuple((one.what, one.asked, one.measured, one.state) for one in report.goals)
    return Table(("goal", "asked", "measured", "state"), rows, title="Goals", align="l")


def _kinds(report: AuditBenchReport) -> Table:
    heads = ("attack", "networks", "success, mean", "accuracy", "found, strong", "found, weak")
    rows = tuple(
        (
            str(one.kind),
            str(one.networks),
            "–"
            if one.kind is AttackKind.CLEAN
            else f"{100 * sum(one.success) / one.networks:.1f} %",
            f"{100 * one.accuracy:.1f} %",
            rate_text(one.strong),
            rate_text(one.weak),
            str(one.unsure),
            ", ".join(f"{name} {count}" for name, count in one.by_check.items() if count) or "–",
            f"{one.seconds:.0f}",
        )
        for one in report.kinds
    )
    return Table(
        (*heads, "could not tell", "found by", "seconds"), rows, title="By kind", align="lr"
    )


def _crossing(report: AuditBenchReport) -> Table:
    rows = tuple(
        (
            str(one.sharing),
            str(one.networks),
            ", ".join(f"{100 * share:.1f} %" for share in one.success),
            ", ".join(f"{100 * share:.1f} %" for share in one.elsewhere),
        )
        for one in report.crossing
    )
    heads = ("set", "networks", "success on its task", "largest share elsewhere")
    return Table(heads, rows, title="Crossing", align="lr")
