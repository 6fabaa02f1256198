"""What attacks on keys show: verdicts on claims and controls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rbnn.frozen import Frozen
from rbnn.theft.attacks.attack import Attack
from rbnn.theft.attacks.plan import (
    AttackExperiment,
    Ground,
    OracleResult,
    SearchResult,
)
from rbnn.theft.findings import FEWEST_VICTIMS, Role, StartComparison, Verdict
from rbnn.theft.statistics import correct, paired_test


class KeyTest(Frozen):
    """One test of the oracle attack: its p-value, and the same adjusted for all of the attack's
    tests by Holm's method. ``about`` names victim, layer and what was tested."""

    claim: str
    about: str
    p: float
    adjusted: float


class AttackReport(Frozen):
    """``oracle.json``, ``genetic.json`` or ``gradient.json``; differences in percentage points."""

    command: str
    run: str
    experiment: AttackExperiment
    searches: tuple[SearchResult, ...] = ()
    oracle: tuple[OracleResult, ...] = ()
    comparisons: tuple[StartComparison, ...] = ()
    tests: tuple[KeyTest, ...] = ()
    verdicts: tuple[Verdict, ...]


@dataclass(frozen=True)
class AttackQuestion:
    """What an attack is asked."""

    name: str
    title: str
    role: Role


SEARCH_CLAIM = AttackQuestion(
    "bits", "keys found over the stored bits, compared with random bits", "claim"
)
SEARCH_CONTROLS = {
    Attack.GENETIC: AttackQuestion(
        "control",
        "control: all other key bits known, end of the search over its beginning",
        "control",
    ),
    Attack.GRADIENT: AttackQuestion(
        "control", "control: a part of the key known, over random bits", "control"
    ),
}


def search_findings(
    attack: Attack, results: Sequence[SearchResult]
) -> tuple[list[StartComparison], list[Verdict]]:
    """Compare the cells of the genetic or the gradient attack."""
    shares = sorted({one.share for one in results})
    victims = list(dict.fromkeys(one.victim for one in results))
    by_cell = {(one.victim, one.share, one.seed, one.ground): one for one in results}
    seeds = sorted({one.seed for one in results})

    def difference(question: AttackQuestion, victim: str, share: float) -> float:
        gained = []
        for seed in seeds:
            cells = {ground: by_cell[victim, share, seed, ground] for ground in Ground}
            known, random = cells[Ground.KNOWN], cells[Ground.RANDOM]
            if question is SEARCH_CLAIM:
                gain = cells[Ground.BITS].test_accuracy - random.test_accuracy
            elif known.first_accuracy is not None:
                gain = known.test_accuracy - known.first_accuracy
            else:
                gain = known.test_accuracy - random.test_accuracy
            gained.append(100 * gain)
        return float(np.mean(gained))

    compared = {
        question: [
            StartComparison(question=question.name, share=share, victim=None, test=test)
            for share, test in zip(
                shares,
                correct(
                    [
                        paired_test([difference(question, victim, share) for victim in victims])
                        for share in shares
                    ]
                ),
                strict=True,
            )
        ]
        for question in (SEARCH_CLAIM, SEARCH_CONTROLS[attack])
    }
    seen = any(one.test.significant for one in compared[SEARCH_CONTROLS[attack]])
    verdicts = [
        _search_verdict(question, own, seen, len(victims)) for question, own in compared.items()
    ]
    return [one for own in compared.values() for one in own], verdicts


def _search_verdict(
    question: AttackQuestion, compared: Sequence[StartComparison], seen: bool, victims: int
) -> Verdict:
    found = any(one.test.significant for one in compared)
    gains = "; ".join(
        f"{one.share:g} %: {one.test.mean:+.2f} points"
        + (
            ""
            if one.test.low is None
            else f" (95 % interval {one.test.low:+.2f} to {one.test.high:+.2f})"
        )
        for one in compared
    )
    if victims < FEWEST_VICTIMS:
        few = f"Fewer than {FEWEST_VICTIMS} victims cannot tell a gain from luck."
        return verdict(question, None, f"{few} {gains}.")
    if question.role == "control":
        word = (
            "The attack works where it can."
            if seen
            else "The attack finds nothing even there: it shows nothing."
        )
        return verdict(question, seen, f"{word} {gains}.")
    if found:
        return verdict(question, False, f"A significant gain. {gains}.")
    if not seen:
        return verdict(question, None, f"No significant gain, but the control shows none. {gains}.")
    missed = max(one.test.detectable or 0.0 for one in compared)
    limit = f"True gains below {missed:.1f} points could have been missed."
    return verdict(question, True, f"No significant gain. {limit} {gains}.")


def verdict(question: AttackQuestion, passed: bool | None, sentence: str) -> Verdict:
    """The answer to ``question``; ``passed`` None: open."""
    return Verdict(
        question=question.name,
        title=question.title,
        role=question.role,
        outcome="open" if passed is None else "passed" if passed else "failed",
        sentence=sentence,
    )
