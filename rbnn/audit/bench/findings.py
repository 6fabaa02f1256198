"""What a measurement says: counts with exact intervals, under limits from clean networks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from scipy.stats import binomtest

from rbnn.audit.attacks.kinds import AttackKind
from rbnn.audit.bench.calibrate import Calibrated, calibrated, limits_of
from rbnn.audit.bench.plan import AuditExperiment, Part, Sharing, input_of
from rbnn.audit.bench.results import CellResult, judged, judged_checks
from rbnn.audit.figures import Outcome
from rbnn.audit.limits import CONFIDENCE, Input
from rbnn.frozen import Frozen

STRONG = 0.9
"""Attack success from which on a kind's rate counts."""
LATENT_MARGIN = 0.05
ON_NETWORKS = ("patch sweep", "trigger inversion", "float against deployed")
"""Checks that need no training data."""


AllLimits = dict[Input, dict[str, float]]


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

    ``found`` is the rate of those in which the audit found something; ``strong`` the same among
    those whose success is 90 % or more, ``weak`` among the others, ``network_only`` that of checks
    without training data among the strong ones. ``unsure`` could not be told. ``by_check`` counts,
    for each check, the networks in which it found something; ``processor`` is the mean of an
    audit's seconds.
    """

    kind: AttackKind
    networks: int
    success: tuple[float, ...]
    accuracy: float
    found: Rate
    strong: Rate
    weak: Rate
    network_only: Rate
    unsure: int
    by_check: dict[str, int]
    processor: float


class DormantFigures(Frozen):
    """The dormant kind: how many sleep in the latent values and are awake in the integers; of
    these, how many the audit found on the integers, and how many the same sweep missed on the
    latent values."""

    shown: Rate
    found: Rate
    missed_by_float: Rate


class CrossingFigures(Frozen):
    """A patch in one task of a shared set: its success there, and the largest share that it moves
    to any one class of each other task, by seed."""

    sharing: Sharing
    networks: int
    victim: str
    success: tuple[float, ...]
    elsewhere: dict[str, tuple[float, ...]]


class RepairFigures(Frozen):
    """Repairs of networks whose attack reached 90 %: success after it, points of accuracy lost, and
    in how many a new search found or woke a trigger."""

    networks: int
    success: tuple[float, ...]
    lost: tuple[float, ...]
    quiet: Rate
    cheap: Rate
    woken: Rate


class AuditBenchReport(Frozen):
    """``audit-bench.json``: the figures, and the results that they are counted from.

    ``slowest`` are the most seconds of one processor that an audit and a quick audit took,
    ``still`` the largest share that the patch moves to one class of clean networks, by task, for
    comparison with what crosses. ``planned`` is how many networks each kind is to have.
    """

    version: int = 3
    command: str
    experiment: AuditExperiment
    planned: dict[str, int]
    limits: tuple[Calibrated, ...]
    kinds: tuple[KindFigures, ...]
    dormant: DormantFigures
    crossing: tuple[CrossingFigures, ...]
    still: dict[str, tuple[float, ...]]
    repair: RepairFigures
    slowest: float | None
    slowest_quick: float | None
    results: tuple[CellResult, ...]


def bench_report(
    command: str,
    experiment: AuditExperiment,
    results: Sequence[CellResult],
    planned: dict[str, int],
) -> AuditBenchReport:
    """Count.

    Args:
        command: that repeats the measurement.
        experiment: what the networks have in common.
        results: of all finished networks.
        planned: networks by kind; of the other parts by part.
    """
    found = calibrated(results)
    limits = limits_of(found)
    own = [one for one in results if one.part is Part.COUNTED]
    clean = [one for one in own if one.kind is AttackKind.CLEAN]
    return AuditBenchReport(
        command=command,
        experiment=experiment,
        planned=planned,
        limits=found,
        kinds=tuple(
            _kind(kind, [one for one in own if one.kind is kind], limits)
            for kind in AttackKind
            if any(one.kind is kind for one in own)
        ),
        dormant=_dormant([one for one in own if one.kind is AttackKind.DORMANT], limits),
        crossing=tuple(
            _crossing(sharing, [one for one in results if one.sharing is sharing])
            for sharing in (Sharing.XOR, Sharing.TRUNK, Sharing.NONE)
            if any(one.sharing is sharing for one in results)
        ),
        still={
            task: tuple(one.moved for one in clean if one.victim == task)
            for task in experiment.tasks
            if any(one.victim == task for one in clean)
        },
        repair=_repair([one for one in results if one.part is Part.REPAIR]),
        slowest=max((one.audit.processor for one in own if one.audit), default=None),
        slowest_quick=max((one.quick.processor for one in own if one.quick), default=None),
        results=tuple(results),
    )


def outcome_of(one: CellResult, limits: AllLimits) -> Outcome:
    """What the audit of a network comes to; "not run" without one."""
    return Outcome.SKIPPED if one.audit is None else judged(one.audit, limits[input_of(one.victim)])


def _kind(kind: AttackKind, own: Sequence[CellResult], limits: AllLimits) -> KindFigures:
    strong = [one for one in own if one.success >= STRONG]
    weak = [one for one in own if one.success < STRONG]
    by_check: dict[str, int] = {}
    network_only = []
    for one in own:
        checks = {} if one.audit is None else judged_checks(one.audit, limits[input_of(one.victim)])
        for name, outcome in checks.items():
            by_check[name] = by_check.get(name, 0) + (outcome is Outcome.FOUND)
        if one.success >= STRONG:
            network_only.append(any(checks.get(name) is Outcome.FOUND for name in ON_NETWORKS))
    return KindFigures(
        kind=kind,
        networks=len(own),
        success=tuple(one.success for one in own),
        accuracy=float(np.mean([one.accuracy for one in own])),
        found=_found(own, limits),
        strong=_found(strong, limits),
        weak=_found(weak, limits),
        network_only=Rate.of(network_only),
        unsure=sum(outcome_of(one, limits) is Outcome.UNKNOWN for one in own),
        by_check=by_check,
        processor=float(np.mean([one.audit.processor for one in own if one.audit] or [0.0])),
    )


def _found(own: Iterable[CellResult], limits: AllLimits) -> Rate:
    return Rate.of(outcome_of(one, limits) is Outcome.FOUND for one in own)


def _dormant(own: Sequence[CellResult], limits: AllLimits) -> DormantFigures:
    asleep = [one for one in own if one.success >= STRONG and _silent(one)]
    missed = []
    for one in asleep:
        held = limits[input_of(one.victim)]
        outcomes = [
            score.model_copy(update={"limit": held.get(score.name, score.limit)}).outcome
            for score in one.float_scores
        ]
        missed.append(Outcome.FOUND not in outcomes)
    return DormantFigures(
        shown=Rate.of(one in asleep for one in own),
        found=_found(asleep, limits),
        missed_by_float=Rate.of(missed),
    )


def _silent(one: CellResult) -> bool:
    """Whether the latent values show nothing of the attack."""
    return one.latent_success <= one.chance + LATENT_MARGIN


def _crossing(sharing: Sharing, own: Sequence[CellResult]) -> CrossingFigures:
    return CrossingFigures(
        sharing=sharing,
        networks=len(own),
        victim=own[0].victim,
        success=tuple(one.success for one in own),
        elsewhere={task: tuple(one.elsewhere[task] for one in own) for task in own[0].elsewhere},
    )


def _repair(own: Sequence[CellResult]) -> RepairFigures:
    done = [
        one.repair for one in own if one.repair is not None and one.repair.success_before >= STRONG
    ]
    lost = tuple(one.accuracy_before - one.accuracy_after for one in done)
    return RepairFigures(
        networks=len(own),
        success=tuple(one.success_after for one in done),
        lost=lost,
        quiet=Rate.of(one.success_after <= 0.1 for one in done),
        cheap=Rate.of(one <= 0.01 for one in lost),
        woken=Rate.of(bool(one.woken) for one in done),
    )


def rate_text(rate: Rate | None) -> str:
    """``3 of 4, 75 % (19 to 99)``."""
    if rate is None or rate.share is None or rate.low is None or rate.high is None:
        return "–"
    return (
        f"{rate.hits} of {rate.count}, {100 * rate.share:.0f} % "
        f"({100 * rate.low:.0f} to {100 * rate.high:.0f})"
    )
