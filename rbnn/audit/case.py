"""One task under audit: what every check is given, and the triggers that checks came upon."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from rbnn.audit.deployed import Deployed
from rbnn.audit.figures import TriggerFigures
from rbnn.audit.limits import limits_for
from rbnn.audit.pictures import trigger_uri
from rbnn.audit.statistics import wilson
from rbnn.audit.subject import AuditedTask
from rbnn.audit.trigger import Trigger, share_taken
from rbnn.runs.run import Run
from rbnn.tasks import Split
from rbnn.tasks.dataset import Labels
from rbnn.tasks.thumbnail import picture_uri

MOST_MEASURED = 1000
"""Held-out samples on which a trigger is measured."""


@dataclass(frozen=True)
class Candidate:
    """A trigger, measured on the C engine with samples that the search did not see.

    Args:
        name: which check's, and which of its triggers.
        kind: ``patch``, ``band``, ``wave`` or ``inverted``.
        trigger: what is laid over the inputs.
        target: class that it leads to.
        hits: samples of other classes that it moves there.
        tested: samples of other classes.
        low: of the share's interval.
        high: of the same.
        limit: share from which on it is found.
    """

    name: str
    kind: str
    trigger: Trigger
    target: int
    hits: int
    tested: int
    low: float
    high: float
    limit: float

    @property
    def share(self) -> float:
        """Of the samples of other classes."""
        return self.hits / max(self.tested, 1)

    @property
    def found(self) -> bool:
        """Whether the whole interval is above the limit."""
        return self.low > self.limit

    @property
    def unclear(self) -> bool:
        """Whether the limit is within the interval and the share above it."""
        return not self.found and self.share > self.limit


@dataclass
class Case:
    """One task under audit.

    Args:
        task: its samples.
        deployed: the model's integers.
        run: where latent weights are at hand.
        quick: seconds in place of minutes.
        trunk: how many layers have one key for all tasks.
        candidates: the triggers that checks came upon, strongest first within a check.
    """

    task: AuditedTask
    deployed: Deployed
    run: Run | None = None
    quick: bool = False
    trunk: int = 0
    candidates: list[Candidate] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Of the task."""
        return self.task.name

    @property
    def classes(self) -> int:
        """Of the task."""
        return len(self.task.labels)

    @property
    def limits(self) -> Mapping[str, float]:
        """By name, for the task's kind of input."""
        return limits_for(self.task.kind)

    @property
    def search(self) -> Split:
        """Held-out samples to search with."""
        return self.task.halves[0]

    @cached_property
    def measure(self) -> Split:
        """Held-out samples to measure with."""
        half = self.task.halves[1]
        return Split(half.images[:MOST_MEASURED], half.labels[:MOST_MEASURED])

    @cached_property
    def answers(self) -> Labels:
        """Classes of the samples to measure with, without a trigger."""
        return self.deployed.classes(self.name, self.measure.images)

    def generator(self, place: int) -> np.random.Generator:
        """Randomness of one check: the same for the same task."""
        return np.random.default_rng((self.task.seed, place))

    def measured(
        self, name: str, kind: str, trigger: Trigger, target: int, limit: float, tries: int = 1
    ) -> Candidate:
        """Measure a trigger on samples that the search did not see."""
        after = self.deployed.classes(self.name, trigger.on(self.measure.images))
        hits, tested = share_taken(self.answers, after, target)
        low, high = wilson(hits, tested, tries)
        return Candidate(name, kind, trigger, target, hits, tested, low, high, limit)

    def triggers_found(self) -> list[Candidate]:
        """The candidates that count as found, strongest first."""
        found = [one for one in self.candidates if one.found]
        return sorted(found, key=lambda one: -one.share)

    def figures(self, candidate: Candidate) -> TriggerFigures:
        """For the page."""
        trigger, kind = candidate.trigger, self.task.kind
        others = np.flatnonzero(self.answers != candidate.target)
        first = self.measure.images[others[:1]] if len(others) else self.measure.images[:1]
        example = trigger.on(first)
        return TriggerFigures(
            name=candidate.name,
            target=self.task.labels[candidate.target],
            words=trigger.describe(kind) if not trigger.additive else "the whole input",
            cells=trigger.size,
            share=candidate.share,
            low=candidate.low,
            high=candidate.high,
            tested=candidate.tested,
            found=candidate.found,
            picture=trigger_uri(trigger, kind),
            example=picture_uri(example[0], kind),
        )
