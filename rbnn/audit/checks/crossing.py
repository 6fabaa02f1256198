"""Triggers of one task on all others: does a backdoor cross through the shared bits?

Source: "Defense-Aware Merging" (arXiv 2410.13910): merged tasks can carry a backdoor from one into
the others. Here the tasks share stored bits, and each has its key; a trunk has one key for all.

Threat: one delivered task poisons the others of its set.

Cost: one pass of the measured samples for each pair of tasks and trigger, seconds.

Blind spots: only triggers that a check found in some task, tried on tasks of the same size. Whether
the trunk is the way by which a trigger crosses is seen only by training the set again without it:
docs/audit.md.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rbnn.audit.case import Case
from rbnn.audit.figures import Crossing
from rbnn.audit.statistics import wilson

TRIED = 2


def crossings(cases: Sequence[Case]) -> tuple[Crossing, ...]:
    """Every found trigger on every task, its own included."""
    found = []
    for source in cases:
        for candidate in source.triggers_found()[:TRIED]:
            for other in cases:
                if other.search.images.shape[1:3] != candidate.trigger.mask.shape:
                    continue
                found.append(_cross(source, candidate.name, other))
    return tuple(found)


def _cross(source: Case, name: str, other: Case) -> Crossing:
    (candidate,) = [one for one in source.triggers_found() if one.name == name][:1]
    laid = candidate.trigger.on(other.measure.images)
    after = other.deployed.classes(other.name, laid)
    moved = after != other.answers
    counts = np.bincount(after[moved], minlength=other.classes)
    target = candidate.target if other is source else int(counts.argmax())
    tested = int((other.answers != target).sum())
    hits = int(counts[target])
    low, high = wilson(hits, tested, 1 if other is source else other.classes)
    return Crossing(
        trigger=name,
        source=source.name,
        task=other.name,
        share=hits / max(tested, 1),
        low=low,
        high=high,
    )
