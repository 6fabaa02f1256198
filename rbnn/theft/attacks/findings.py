"""What attacks on keys show: verdicts on claims and controls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest

from rbnn.frozen import Frozen
from rbnn.theft.attacks.plan import (
    Attack,
    AttackExperiment,
    Ground,
    KeyKind,
    LayerPrediction,
    OracleResult,
    SearchResult,
)
from rbnn.theft.findings import FEWEST_VICTIMS, Role, StartComparison, Verdict
from rbnn.theft.statistics import LEVEL, correct, paired_test

BROKEN = 90.0
"""Percent of the key bits that a control's predictor must get right."""


class AttackReport(Frozen):
    """``oracle.json``, ``genetic.json`` or ``gradient.json``; differences in percentage points."""

    command: str
    run: str
    experiment: AttackExperiment
    searches: tuple[SearchResult, ...] = ()
    oracle: tuple[OracleResult, ...] = ()
    comparisons: tuple[StartComparison, ...] = ()
    verdicts: tuple[Verdict, ...]


@dataclass(frozen=True)
class _Question:
    name: str
    title: str
    role: Role


SEARCH_CLAIM = _Question(
    "bits", "keys found over the stored bits, compared with random bits", "claim"
)
SEARCH_CONTROLS = {
    Attack.GENETIC: _Question(
        "control",
        "control: all other key bits known, end of the search over its beginning",
        "control",
    ),
    Attack.GRADIENT: _Question(
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

    def difference(question: _Question, victim: str, share: float) -> float:
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
    question: _Question, compared: Sequence[StartComparison], seen: bool, victims: int
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
        return _verdict(question, None, f"{few} {gains}.")
    if question.role == "control":
        word = (
            "The attack works where it can."
            if seen
            else "The attack finds nothing even there: it shows nothing."
        )
        return _verdict(question, seen, f"{word} {gains}.")
    if found:
        return _verdict(question, False, f"A significant gain. {gains}.")
    if not seen:
        return _verdict(
            question, None, f"No significant gain, but the control shows none. {gains}."
        )
    missed = max(one.test.detectable or 0.0 for one in compared)
    limit = f"True gains below {missed:.1f} points could have been missed."
    return _verdict(question, True, f"No significant gain. {limit} {gains}.")


def oracle_verdicts(results: Sequence[OracleResult]) -> list[Verdict]:
    """Judge key bits that were predicted and climbed."""
    rows: dict[KeyKind, list[LayerPrediction]] = {
        key: [row for one in results for row in one.layers if row.key == key]
        for key in ("stream", "sign", "short")
    }
    seen = _broken(rows["sign"]) or _broken(rows["short"])
    own, wanted, bits = (
        sum(getattr(one.climb, name) for one in results) for name in ("own", "wanted", "bits")
    )
    learnt = bool(binomtest(own, bits, alternative="greater").pvalue < LEVEL)
    leaked = bool(binomtest(wanted, bits, alternative="greater").pvalue < LEVEL)
    verdicts = [
        _verdict(
            _Question("predict", "the victim's key bits, predicted from another licence", "claim"),
            _outcome(any(row.beyond < LEVEL / len(rows["stream"]) for row in rows["stream"]), seen),
            f"{_pooled(rows['stream'])} Guessing each layer's usual weight, without a licence: "
            f"{_prior(rows['stream']):.2f} %.",
        )
    ]
    weak: dict[KeyKind, str] = {"sign": "one bit per pair of channels", "short": "32 bits repeated"}
    for key, title in weak.items():
        verdicts.append(
            _verdict(
                _Question(key, f"control: a key of {title}", "control"),
                _broken(rows[key]) if rows[key] else None,
                _pooled(rows[key]) if rows[key] else "The network has no layer to try it on.",
            )
        )
    verdicts.append(
        _verdict(
            _Question("climb", "the victim's key bits after climbing on the oracle", "claim"),
            _outcome(leaked, learnt),
            _share(wanted, bits),
        )
    )
    verdicts.append(
        _verdict(
            _Question("climb control", "control: climbing finds the oracle's own key", "control"),
            learnt,
            _share(own, bits),
        )
    )
    return verdicts


def _outcome(leaked: bool, seen: bool) -> bool | None:
    """Of a claim; open if nothing leaked but the control shows that nothing could be seen."""
    if leaked:
        return False
    return True if seen else None


def _broken(rows: Sequence[LayerPrediction]) -> bool:
    """Whether every layer of a control is predicted."""
    return bool(rows) and all(row.low > 50 and row.accuracy >= BROKEN for row in rows)


def _pooled(rows: Sequence[LayerPrediction]) -> str:
    hits = sum(round(row.accuracy / 100 * row.tested) for row in rows)
    best = max(rows, key=lambda row: row.accuracy)
    return (
        f"{_share(hits, sum(row.tested for row in rows))} Highest layer: {best.accuracy:.1f} % "
        f"({best.low:.1f} to {best.high:.1f}), by {best.predictor}."
    )


def _prior(rows: Sequence[LayerPrediction]) -> float:
    return sum(row.prior * row.tested for row in rows) / sum(row.tested for row in rows)


def _share(hits: int, count: int) -> str:
    interval = binomtest(hits, count).proportion_ci(1 - LEVEL)
    return (
        f"{100 * hits / count:.2f} % of {count:,} bits "
        f"(95 % interval {100 * interval.low:.2f} to {100 * interval.high:.2f})."
    )


def _verdict(question: _Question, passed: bool | None, sentence: str) -> Verdict:
    return Verdict(
        question=question.name,
        title=question.title,
        role=question.role,
        outcome="open" if passed is None else "passed" if passed else "failed",
        sentence=sentence,
    )
