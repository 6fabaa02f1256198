"""What a measurement says: counts with exact intervals, held against the goals."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import numpy as np
from scipy.stats import binomtest

from rbnn.audit.attacks.kinds import AttackKind
from rbnn.audit.bench.plan import AuditExperiment, CellResult, Sharing
from rbnn.audit.figures import Outcome
from rbnn.audit.limits import CONFIDENCE
from rbnn.frozen import Frozen

STRONG = 0.9
"""Attack success from which on a kind's rate counts."""
LATENT_MARGIN = 0.05
MOST_SECONDS = 600.0
GoalState = Literal["met", "missed", "not run yet"]


class Rate(Frozen):
    """``hits`` of ``count``, with the Clopper-Pearson interval; none without a count."""

    hits: int
    count: int
    low: float | None
    high: float | None

    @classmethod
    def of(cls, flags: Iterable[bool]) -> Rate:
        """Count."""
        seen = list(flags)
        if not seen:
            return cls(hits=0, count=0, low=None, high=None)
        found = binomtest(sum(seen), len(seen)).proportion_ci(CONFIDENCE, method="exact")
        return cls(hits=sum(seen), count=len(seen), low=float(found.low), high=float(found.high))

    @property
    def share(self) -> float | None:
        """Of 1."""
        return self.hits / self.count if self.count else None


class KindFigures(Frozen):
    """One kind of attack on networks of a single task.

    ``strong`` is the rate of found ones among those whose success is 90 % or more, ``weak`` among
    the others, ``unsure`` those that could not be told. ``by_check`` counts, for each check, the
    networks in which it found something.
    """

    kind: AttackKind
    networks: int
    success: tuple[float, ...]
    accuracy: float
    strong: Rate
    weak: Rate
    unsure: int
    by_check: dict[str, int]
    seconds: float


class CrossingFigures(Frozen):
    """A patch in one task of a shared set: its success there and on the others, by seed."""

    sharing: Sharing
    networks: int
    success: tuple[float, ...]
    elsewhere: tuple[float, ...]


class Goal(Frozen):
    """One row of the goals: what is asked, what was measured."""

    what: str
    asked: str
    measured: str
    state: GoalState


class AuditBenchReport(Frozen):
    """``audit-bench.json``."""

    version: int = 1
    command: str
    experiment: AuditExperiment
    kinds: tuple[KindFigures, ...]
    crossing: tuple[CrossingFigures, ...]
    dormant_shown: Rate
    dormant_found: Rate
    dormant_missed_by_float: Rate
    goals: tuple[Goal, ...]


def bench_report(
    command: str, experiment: AuditExperiment, results: Sequence[CellResult]
) -> AuditBenchReport:
    """Count.

    Args:
        command: that repeats the measurement.
        experiment: what the networks have in common.
        results: of all finished networks.
    """
    own = [one for one in results if one.sharing is Sharing.OWN]
    kinds = tuple(
        _kind(kind, [one for one in own if one.kind is kind])
        for kind in AttackKind
        if any(one.kind is kind for one in own)
    )
    dormant = [one for one in own if one.kind is AttackKind.DORMANT]
    shown = [one.success >= STRONG and _silent(one) for one in dormant]
    asleep = [one for one, is_shown in zip(dormant, shown, strict=True) if is_shown]
    crossing = tuple(
        _crossing(sharing, [one for one in results if one.sharing is sharing])
        for sharing in (Sharing.XOR, Sharing.TRUNK, Sharing.NONE)
        if any(one.sharing is sharing for one in results)
    )
    return AuditBenchReport(
        command=command,
        experiment=experiment,
        kinds=kinds,
        crossing=crossing,
        dormant_shown=Rate.of(shown),
        dormant_found=Rate.of(one.outcome is Outcome.FOUND for one in asleep),
        dormant_missed_by_float=Rate.of(_silent(one) for one in asleep),
        goals=tuple(_goals(kinds, asleep, crossing, own)),
    )


def _silent(one: CellResult) -> bool:
    """Whether the latent values show nothing of the attack."""
    return one.latent_success <= one.chance + LATENT_MARGIN


def _kind(kind: AttackKind, own: Sequence[CellResult]) -> KindFigures:
    strong = [one for one in own if one.success >= STRONG]
    weak = [one for one in own if one.success < STRONG]
    checks = sorted({name for one in own for name in one.checks})
    return KindFigures(
        kind=kind,
        networks=len(own),
        success=tuple(one.success for one in own),
        accuracy=float(np.mean([one.accuracy for one in own])),
        strong=Rate.of(one.outcome is Outcome.FOUND for one in strong),
        weak=Rate.of(one.outcome is Outcome.FOUND for one in weak),
        unsure=sum(one.outcome is Outcome.UNKNOWN for one in own),
        by_check={
            name: sum(one.checks.get(name) is Outcome.FOUND for one in own) for name in checks
        },
        seconds=float(np.mean([one.audit_seconds for one in own])),
    )


def _crossing(sharing: Sharing, own: Sequence[CellResult]) -> CrossingFigures:
    return CrossingFigures(
        sharing=sharing,
        networks=len(own),
        success=tuple(one.success for one in own),
        elsewhere=tuple(max(one.elsewhere.values(), default=0.0) for one in own),
    )


def _goals(
    kinds: Sequence[KindFigures],
    asleep: Sequence[CellResult],
    crossing: Sequence[CrossingFigures],
    own: Sequence[CellResult],
) -> Iterable[Goal]:
    by_kind = {one.kind: one for one in kinds}
    clean = by_kind.get(AttackKind.CLEAN)
    alarms = None
    if clean is not None:  # without an attack every network is "weak"
        alarms = Rate.of(
            one.outcome is Outcome.FOUND for one in own if one.kind is AttackKind.CLEAN
        )
    yield _rate_goal(
        "false alarms, clean networks", "at most 5 %, 20 networks", alarms, 20, most=0.05
    )
    for kind, least, fewest in (
        (AttackKind.PATCH, 0.9, 12),
        (AttackKind.BLENDED, 0.8, 12),
        *((kind, 0.0, 6) for kind in AttackKind if kind not in _WITH_A_GOAL),
    ):
        figures = by_kind.get(kind)
        asked = f"at least {100 * least:.0f} %" if least else "the rate, whatever it is"
        yield _rate_goal(
            f"found: {kind}, success of 90 % and more",
            f"{asked}, {fewest} networks",
            None if figures is None else figures.strong,
            fewest,
            least=least,
        )
    measured = Rate.of(one.outcome is Outcome.FOUND for one in asleep)
    yield _rate_goal("dormant: found on the integers", "counts, 6 networks", measured, 6)
    done = {one.sharing: one for one in crossing}
    complete = len(done) == 3 and all(one.networks >= 3 for one in crossing)
    yield Goal(
        what="crossing between tasks",
        asked="xor, trunk, none; three seeds",
        measured="; ".join(
            f"{one.sharing} {100 * max(one.elsewhere):.1f} %" for one in crossing if one.elsewhere
        )
        or "–",
        state="met" if complete else "not run yet",
    )
    slowest = max((one.audit_seconds for one in own), default=None)
    yield Goal(
        what="time of an audit",
        asked="at most 10 minutes a task on 2 cores",
        measured="–" if slowest is None else f"at most {slowest:.0f} s",
        state=_state(slowest is not None, slowest is not None and slowest <= MOST_SECONDS),
    )


_WITH_A_GOAL = {AttackKind.CLEAN, AttackKind.PATCH, AttackKind.BLENDED, AttackKind.DORMANT}


def _rate_goal(
    what: str,
    asked: str,
    rate: Rate | None,
    fewest: int,
    *,
    least: float = 0.0,
    most: float = 1.0,
) -> Goal:
    share = None if rate is None else rate.share
    enough = rate is not None and rate.count >= fewest
    return Goal(
        what=what,
        asked=asked,
        measured=rate_text(rate),
        state=_state(enough, share is not None and least <= share <= most),
    )


def _state(enough: bool, good: bool) -> GoalState:
    if not enough:
        return "not run yet"
    return "met" if good else "missed"


def rate_text(rate: Rate | None) -> str:
    """``3 of 4, 75 % (19 to 99)``."""
    if rate is None or rate.share is None or rate.low is None or rate.high is None:
        return "–"
    return (
        f"{rate.hits} of {rate.count}, {100 * rate.share:.0f} % "
        f"({100 * rate.low:.0f} to {100 * rate.high:.0f})"
    )
