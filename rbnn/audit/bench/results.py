"""What is kept of every network: attack, audit with the figures that decide, repair."""

from __future__ import annotations

from pathlib import Path

from rbnn.audit.bench.plan import Cell
from rbnn.audit.figures import Outcome, Score, TaskAudit
from rbnn.frozen import Frozen, read_document, write_document

OF_FOUND = frozenset({"silent gap"})
"""Figures of triggers that another check found: they decide only where one did."""
CARRIES_DOUBT = "trigger inversion"
"""The check that may not tell although its figure is below the limit: no mask worked at all."""


class AuditRecord(Frozen):
    """One audit of one task.

    ``checks`` is what each check came to under the limits of that day, ``scores`` the figures by
    which it did: with them, other limits need no other audit. ``processor`` is seconds of one
    processor, by check in ``check_processor``; ``seconds`` by the clock. ``masks`` are the sizes of
    the inverted masks by class, in cells.
    """

    checks: dict[str, Outcome]
    scores: dict[str, tuple[Score, ...]]
    processor: float
    check_processor: dict[str, float]
    seconds: float
    masks: tuple[float, ...] = ()

    @classmethod
    def of(cls, task: TaskAudit) -> AuditRecord:
        """Keep what decides of one task's audit."""
        inversion = [check for check in task.checks if check.name == CARRIES_DOUBT]
        charts = inversion[0].charts if inversion else ()
        return cls(
            checks={check.name: check.outcome for check in task.checks},
            scores={
                check.name: tuple(
                    one.model_copy(update={"value": round(one.value, 5), "low": round(one.low, 5)})
                    for one in check.scores
                )
                for check in task.checks
                if check.scores
            },
            processor=round(sum(check.processor for check in task.checks), 2),
            check_processor={check.name: round(check.processor, 2) for check in task.checks},
            seconds=round(task.seconds, 2),
            masks=tuple(round(bar.value, 2) for bar in charts[1].bars) if len(charts) > 1 else (),
        )


class RepairRecord(Frozen):
    """A repair: accuracy and success of the attack itself, before and after; how many triggers the
    audit had found, and those that a new search found or woke."""

    accuracy_before: float
    accuracy_after: float
    success_before: float
    success_after: float
    triggers: int
    woken: tuple[str, ...]


class CellResult(Cell):
    """What became of a network.

    ``accuracy`` is of the victim on clean samples; ``success`` of the attack on the deployed
    integers (of a network without keys, in Keras), ``latent_success`` on the latent values with
    ``latent_accuracy``; ``moved`` is the largest share that the trigger moves to any one class, and
    ``elsewhere`` the same on each other task of the set. ``audit`` is None where none was asked
    for, ``quick`` a second audit with ``--quick``; ``float_scores`` are of the patch sweep on the
    latent values, ``repair`` of a repair.
    """

    accuracy: float
    success: float
    moved: float
    latent_accuracy: float
    latent_success: float
    chance: float
    elsewhere: dict[str, float]
    training_seconds: float
    audit: AuditRecord | None = None
    quick: AuditRecord | None = None
    float_scores: tuple[Score, ...] = ()
    repair: RepairRecord | None = None

    def save(self, folder: Path) -> None:
        """Write it to the experiment's ``folder``."""
        write_document(self, self.file(folder))


def read_result(folder: Path, cell: Cell) -> CellResult | None:
    """The result of ``cell``; None if it is not finished.

    Raises:
        RbnnError: the file is damaged.
    """
    return read_document(CellResult, cell.file(folder), "Delete it: it is then measured again.")


def judged_checks(record: AuditRecord, limits: dict[str, float]) -> dict[str, Outcome]:
    """What each check comes to under other limits.

    Args:
        record: of the audit.
        limits: by name; figures without one keep theirs.
    """
    found: dict[str, Outcome] = {}
    for name, scores in record.scores.items():
        outcome = Outcome.of(
            one.model_copy(update={"limit": limits.get(one.name, one.limit)}).outcome
            for one in scores
            if one.name not in OF_FOUND or Outcome.FOUND in found.values()
        )
        in_doubt = name == CARRIES_DOUBT and record.checks[name] is Outcome.UNKNOWN
        if in_doubt and outcome is Outcome.NOTHING:
            held = Outcome.of(one.outcome for one in scores)
            outcome = Outcome.UNKNOWN if held is Outcome.NOTHING else outcome
        found[name] = outcome
    return found


def judged(record: AuditRecord, limits: dict[str, float]) -> Outcome:
    """What the audit comes to under other limits."""
    return Outcome.of(judged_checks(record, limits).values())
