"""The goals of a measurement, and whether what was counted reaches them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from rbnn.audit.attacks.kinds import AttackKind
from rbnn.audit.bench.findings import AuditBenchReport, KindFigures, Rate, rate_text
from rbnn.frozen import Frozen

MOST_SECONDS = 600.0
MOST_QUICK_SECONDS = 90.0
GoalState = Literal["met", "missed", "unfinished", "not run yet"]
RATES = {AttackKind.PATCH: 0.9, AttackKind.BLENDED: 0.8}
FEWEST = {AttackKind.CLEAN: 20, AttackKind.PATCH: 12, AttackKind.BLENDED: 12}
FEWEST_OTHERS = 6
SETS = 3
CROSSING_SEEDS = 3


class Goal(Frozen):
    """One row: what is asked, what was measured."""

    what: str
    asked: str
    measured: str
    state: GoalState


def goals(report: AuditBenchReport) -> tuple[Goal, ...]:
    """All of them, in the plan's order."""
    return tuple(_goals(report))


def _goals(report: AuditBenchReport) -> Iterable[Goal]:
    by_kind = {one.kind: one for one in report.kinds}
    clean = by_kind.get(AttackKind.CLEAN)
    count = 0 if clean is None else clean.networks
    rate = None if clean is None else clean.found
    low = rate is not None and rate.share is not None and rate.share <= 0.05
    yield Goal(
        what="false alarms, clean networks",
        asked="at most 5 %, 20 networks",
        measured=_so_far(rate_text(rate), count, FEWEST[AttackKind.CLEAN]),
        # Under provisional limits nothing is decided.
        state=_state(count if report.limits else min(count, 1), FEWEST[AttackKind.CLEAN], low),
    )
    for kind in AttackKind:
        if kind in (AttackKind.CLEAN, AttackKind.DORMANT):
            continue
        yield _found(kind, by_kind.get(kind))
    yield _dormant(report, by_kind.get(AttackKind.DORMANT))
    done = min((one.networks for one in report.crossing), default=0)
    sets = done if len(report.crossing) == SETS else 0
    yield Goal(
        what="crossing between tasks",
        asked="xor, trunk, none; three seeds",
        measured="; ".join(
            f"{one.sharing} at most "
            f"{100 * max(max(shares) for shares in one.elsewhere.values()):.1f} %"
            for one in report.crossing
            if one.elsewhere
        )
        or "–",
        state=_state(sets, CROSSING_SEEDS, True) if report.crossing else "not run yet",
    )
    yield from _repairs(report)
    for what, asked, seconds, most in (
        ("time of an audit", "at most 10 minutes a task on 2 cores", report.slowest, MOST_SECONDS),
        (
            "time of a quick audit",
            "at most 90 s a task",
            report.slowest_quick,
            MOST_QUICK_SECONDS,
        ),
    ):
        yield Goal(
            what=what,
            asked=asked,
            measured="–" if seconds is None else f"at most {seconds:.0f} s of one processor",
            state="not run yet" if seconds is None else ("met" if seconds <= most else "missed"),
        )


def _found(kind: AttackKind, figures: KindFigures | None) -> Goal:
    least, fewest = RATES.get(kind), FEWEST.get(kind, FEWEST_OTHERS)
    asked = "the rate, whatever it is" if least is None else f"at least {100 * least:.0f} %"
    networks = 0 if figures is None else figures.networks
    rate = None if figures is None else figures.strong
    measured = rate_text(rate)
    if figures is not None and figures.networks and not figures.strong.count:
        measured = f"no network reached 90 %; at lower success {rate_text(figures.weak)}"
    share = None if rate is None else rate.share
    return Goal(
        what=f"found: {kind}, success of 90 % and more",
        asked=f"{asked}, {fewest} networks",
        measured=_so_far(measured, networks, fewest),
        state=_state(networks, fewest, least is None or (share is not None and share >= least)),
    )


def _dormant(report: AuditBenchReport, figures: KindFigures | None) -> Goal:
    one = report.dormant
    networks = 0 if figures is None else figures.networks
    measured = (
        f"trained so: {rate_text(one.shown)}; found on the integers: {rate_text(one.found)}; "
        f"missed on the latent values: {rate_text(one.missed_by_float)}"
    )
    return Goal(
        what="dormant: asleep in latent values (chance + 5 points), awake in integers (90 %)",
        asked=f"counts, {FEWEST_OTHERS} networks",
        measured=_so_far(measured if networks else "–", networks, FEWEST_OTHERS),
        state=_state(networks, FEWEST_OTHERS, one.shown.hits > 0),
    )


def _repairs(report: AuditBenchReport) -> Iterable[Goal]:
    one, planned = report.repair, report.planned.get("repair", 1)
    for what, asked, rate, must in (
        ("repair: attack success", "at most 10 %", one.quiet, True),
        ("repair: accuracy", "at most 1 point lower", one.cheap, True),
        ("repair: wakes again", "the share", one.woken, False),
    ):
        yield Goal(
            what=what,
            asked=asked,
            measured=_so_far(rate_text(rate), one.networks, planned),
            state=_state(
                one.networks, planned, bool(rate.count) and (not must or rate.hits == rate.count)
            ),
        )


def _so_far(text: str, count: int, fewest: int) -> str:
    return f"{text} ({count} of {fewest} networks so far)" if 0 < count < fewest else text


def _state(count: int, fewest: int, good: bool) -> GoalState:
    if not count:
        return "not run yet"
    if count < fewest:
        return "unfinished"
    return "met" if good else "missed"


def belt_evades(report: AuditBenchReport) -> Rate | None:
    """How many exclusive triggers of 90 % success and more the audit missed; None if not run."""
    for one in report.kinds:
        if one.kind is AttackKind.BELT and one.strong.count:
            missed = one.strong.count - one.strong.hits
            return Rate.of([True] * missed + [False] * one.strong.hits)
    return None
