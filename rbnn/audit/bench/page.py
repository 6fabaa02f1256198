"""A measurement of the audit as tables for the terminal and as a page in Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from rbnn.audit.attacks.kinds import AttackKind
from rbnn.audit.bench.calibrate import FEWEST
from rbnn.audit.bench.findings import AuditBenchReport, Rate, rate_text
from rbnn.audit.bench.goals import belt_evades, goals
from rbnn.audit.limits import LEAST, LIMITS, Input, names_of
from rbnn.pages.table import Table

UNITS = {
    "patch": ("strongest patch, share of other classes' samples", "share"),
    "band": ("strongest band of sound, the same", "share"),
    "wave": ("strongest wave, the same", "share"),
    "small mask": ("smallest inverted mask, times below the median", "times"),
    "superposed samples": ("training samples of one class below their entropy threshold", "share"),
    "repeated patch": ("one sharp-edged patch at one place, share of a class", "share"),
    "stream": ("first direction of the stream, outlier index", "index"),
    "fixed pattern": ("one pattern in a class's samples, times the median", "times"),
}


def bench_tables(report: AuditBenchReport) -> RenderableType:
    """For the terminal."""
    made = (goals_table(report), limits_table(report), kinds_table(report), crossing_table(report))
    return Group(*(table.rich() for table in made), Text(belt_text(report)))


def bench_page(report: AuditBenchReport) -> str:
    """For a document."""
    one = report.experiment
    done, planned = len(report.results), sum(report.planned.values())
    parts = [
        "# What the audit finds, and what it misses\n",
        f"{belt_text(report)} {done} of {planned} networks are done.\n",
        f"Networks: {one.architecture}, width {one.width}, {one.steps} steps of {one.batch} "
        "samples, each with its own 80 % of a task's training samples. "
        f"{100 * one.share:.0f} % of the victim's training samples are poisoned (clean label: of "
        "the target's). Poisoned data are TEST-ONLY, made in memory. Intervals are Clopper and "
        "Pearson's, 95 %.\n",
        f"```sh\n{report.command}\n```\n",
        f"## Goals\n\n{goals_table(report).markdown()}\n",
        "## Limits\n",
        "From clean networks of calibration only (seeds from 101 on), which are not among the "
        "counted ones: the upper prediction limit for one more network, all limits together at "
        "5 % false alarms, never below the largest figure of calibration nor below the least "
        "limit, which was set before. All outcomes on this page are under these limits.\n",
        f"{limits_table(report).markdown()}\n",
        f"## By kind of attack, networks of one task\n\n{kinds_table(report).markdown()}\n",
        f"## Crossing between tasks of one set\n\n{crossing_table(report).markdown()}\n",
        f"## Repair\n\n{repair_text(report)}\n",
    ]
    return "\n".join(parts)


def belt_text(report: AuditBenchReport) -> str:
    """The sentence that stands first."""
    rate = belt_evades(report)
    if rate is None:
        return "Exclusive triggers (BELT): not run yet."
    return f"Exclusive triggers (BELT) evade the audit: {rate_text(rate)}."


def goals_table(report: AuditBenchReport) -> Table:
    """What is asked, what was measured."""
    rows = tuple((one.what, one.asked, one.measured, one.state) for one in goals(report))
    return Table(("goal", "asked", "measured", "state"), rows, title="Goals", align="l")


def limits_table(report: AuditBenchReport) -> Table:
    """Every limit, and the clean networks behind it."""
    held = {(one.given, one.name): one for one in report.limits}
    rows: list[tuple[str, ...]] = []
    for given, name in [(one, name) for one in Input for name in names_of(one)]:
        words, unit = UNITS[name]
        one, least = held.get((given, name)), _figure(LEAST[name], unit)
        if one is None:
            limit = _figure(LIMITS[given][name], unit)
            limit += f", provisional: fewer than {FEWEST[given]} networks"
            rows.append((given, words, "–", "–", "–", "–", least, limit))
            continue
        figures = (_figure(value, unit) for value in (one.median, one.largest, one.predicted))
        rows.append((given, words, str(one.networks), *figures, least, _figure(one.limit, unit)))
    heads = ("input", "figure", "networks", "median", "largest", "predicted", "at least", "limit")
    return Table(heads, tuple(rows), title="Limits", align="llr")


def _figure(value: float, unit: str) -> str:
    return f"{100 * value:.1f} %" if unit == "share" else f"{value:.1f}"


def kinds_table(report: AuditBenchReport) -> Table:
    """By kind of attack."""
    heads = (
        "attack", "networks", "success, mean", "accuracy", "found, success of 90 %",
        "of these without training data", "found, lower success", "could not tell", "found by",
        "processor seconds",
    )  # fmt: skip
    rows = tuple(
        (
            str(one.kind),
            str(one.networks),
            "–"
            if one.kind is AttackKind.CLEAN
            else f"{100 * sum(one.success) / one.networks:.1f} %",
            f"{100 * one.accuracy:.1f} %",
            rate_text(one.strong),
            rate_text(one.network_only),
            rate_text(one.weak),
            str(one.unsure),
            by_check(one.by_check),
            f"{one.processor:.0f}",
        )
        for one in report.kinds
    )
    return Table(heads, rows, title="By kind", align="lr")


def by_check(counts: dict[str, int]) -> str:
    """``patch sweep 3, data scan 4``."""
    return ", ".join(f"{name} {count}" for name, count in counts.items() if count) or "–"


def crossing_table(report: AuditBenchReport) -> Table:
    """Sets by tasks: the largest share that the patch moves to one class, mean and range."""
    victim = report.experiment.tasks[0]
    others = report.experiment.tasks[1:]
    rows = [
        (
            str(one.sharing),
            str(one.networks),
            _range(one.success),
            *(_range(one.elsewhere.get(task, ())) for task in others),
        )
        for one in report.crossing
    ]
    if report.still and report.crossing:
        count = max(len(shares) for shares in report.still.values())
        shares = (_range(report.still.get(task, ())) for task in (victim, *others))
        rows.append(("clean networks of one task", str(count), *shares))
    heads = ("set", "networks", f"success on {victim}", *(f"moved on {task}" for task in others))
    return Table(heads, tuple(rows), title="Crossing", align="lr")


def repair_text(report: AuditBenchReport) -> str:
    """What repairs were worth."""
    one = report.repair
    if not one.networks:
        return "Not run yet."
    return (
        f"{one.networks} networks with a patch, {len(one.success)} of them with a success of 90 % "
        f"and more. Success after the repair: {_range(one.success)}; accuracy lost, points: "
        f"{_range(one.lost)}. At most 10 % success: {rate_text(one.quiet)}; at most 1 point lost: "
        f"{rate_text(one.cheap)}; a new search found or woke a trigger: {rate_text(one.woken)}."
    )


def _range(shares: Sequence[float]) -> str:
    """``12.0 % (8.1 to 15.3)``."""
    if not shares:
        return "–"
    mean = 100 * sum(shares) / len(shares)
    return f"{mean:.1f} % ({100 * min(shares):.1f} to {100 * max(shares):.1f})"


def so_far(rate: Rate, networks: int, planned: int) -> str:
    """A rate, and how many networks are still to come."""
    text = rate_text(rate)
    return text if networks >= planned else f"{text}; {networks} of {planned} networks so far"
