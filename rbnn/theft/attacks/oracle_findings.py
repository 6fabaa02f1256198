"""What the oracle attack shows: one family of tests, and verdicts on claims and controls.

Every layer of every victim is tested several times, and of a hundred tests of sound keys five have
a p-value below 5 %. So all tests of claims are corrected together by Holm's method, which holds
under any dependence between them: over all claims, at most one sound run in twenty fails. One
significant test is a leak.

Some tests would count the same coin flips twice: seeds divide one layer's bits anew, two victims
may be each other's licence, and three in a circle have keys whose differences cancel. Therefore no
test pools seeds or victims.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from scipy.stats import binomtest, norm

from rbnn.theft.attacks.climb import pull
from rbnn.theft.attacks.findings import AttackQuestion, KeyTest, verdict
from rbnn.theft.attacks.plan import ClimbResult, KeyKind, LayerPrediction, OracleResult
from rbnn.theft.findings import Verdict
from rbnn.theft.statistics import LEVEL, POWER, holm

Claim = Literal["predict", "even", "climb"]
TITLES: dict[Claim, str] = {
    "predict": "the victim's key bits, predicted from another licence",
    "even": "stored bits, key bits, and the two keys' common bits, compared with coin flips",
    "climb": "the victim's key bits after climbing on the oracle",
}
WEAK: dict[KeyKind, str] = {"sign": "one bit per pair of channels", "short": "32 bits repeated"}
"""The controls of ``predict``."""
BROKEN = 0.9
"""Share of the key bits that a control's predictor must get right."""


def oracle_tests(results: Sequence[OracleResult]) -> list[KeyTest]:
    """The tests of all claims, corrected together."""
    tests: dict[tuple[Claim, str], float] = {}
    for one in results:
        seed = f"{one.victim}, seed {one.seed}"
        for row in one.layers:
            if row.key == "stream":
                tests["predict", f"{seed}, layer {row.layer}, {row.predictor}"] = row.p
        # Neither depends on the seed, and the stored bits are those of all victims.
        for layer in one.counts:
            place = f"layer {layer.layer}"
            key, alike = f"key of {one.victim}", f"keys of {one.victim} and {one.other} in common"
            tests["even", f"stored bits, {place}"] = coin_flips(layer.stored, layer.bits)
            tests["even", f"{key}, {place}"] = coin_flips(layer.key, layer.bits)
            tests["even", f"{alike}, {place}"] = coin_flips(layer.alike, layer.bits)
        climbed = one.climb
        tests["climb", f"{seed}, layer {climbed.layer}"] = pull(
            climbed.bits, climbed.alike, climbed.own, climbed.wanted
        )
    return [
        KeyTest(claim=claim, about=about, p=p, adjusted=adjusted)
        for ((claim, about), p), adjusted in zip(
            tests.items(), holm(list(tests.values())), strict=True
        )
    ]


def coin_flips(ones: int, count: int) -> float:
    """Two-sided p-value of "each bit is a fair coin flip"."""
    return float(binomtest(ones, count).pvalue)


def oracle_verdicts(results: Sequence[OracleResult], tests: Sequence[KeyTest]) -> list[Verdict]:
    """Judge the claims by ``tests`` from :func:`oracle_tests`, and the controls."""
    rows: dict[KeyKind, list[LayerPrediction]] = {
        key: [row for one in results for row in one.layers if row.key == key]
        for key in ("stream", *WEAK)
    }
    climbs = [one.climb for one in results]
    broken = {key: _broken(rows[key]) for key in WEAK}
    learnt = all(_learnt(one) for one in climbs)
    found = {
        "predict": f"{_right(rows['stream'])} Guessing each layer's usual weight, without a "
        f"licence: {_share(sum(row.usual for row in rows['stream']), _tested(rows['stream']))}. "
        f"{_missed(rows['stream'], len(tests))}",
        "even": "The weights need not be even, and are not tested.",
        "climb": _climbed(climbs),
    }
    seen: dict[Claim, bool] = {
        "predict": any(broken.values()), "even": True, "climb": learnt,
    }  # fmt: skip
    claims = {
        claim: verdict(
            AttackQuestion(claim, title, "claim"),
            _outcome(claim, tests, seen[claim]),
            f"{_least(claim, tests)} {found[claim]}",
        )
        for claim, title in TITLES.items()
    }
    controls = [
        verdict(
            AttackQuestion(key, f"control: a key of {title}", "control"),
            broken[key] if rows[key] else None,
            _right(rows[key]) if rows[key] else "The network has no layer to try it on.",
        )
        for key, title in WEAK.items()
    ]
    own, bits = sum(one.own for one in climbs), sum(one.bits for one in climbs)
    first = sum(one.start_own for one in climbs)
    climb_control = verdict(
        AttackQuestion("climb control", "control: climbing finds the oracle's own key", "control"),
        learnt,
        f"{_share(own, bits)} of {bits:,} bits; at the start {_share(first, bits)}.",
    )
    return [claims["predict"], *controls, claims["even"], claims["climb"], climb_control]


def _outcome(claim: Claim, tests: Sequence[KeyTest], seen: bool) -> bool | None:
    """Open if nothing leaked but the control shows that nothing could be seen."""
    if any(one.claim == claim and one.adjusted < LEVEL for one in tests):
        return False
    return True if seen else None


def _least(claim: Claim, tests: Sequence[KeyTest]) -> str:
    own = [one for one in tests if one.claim == claim]
    least = min(own, key=lambda one: one.p)
    chance = 1 - (1 - least.p) ** len(own)
    return (
        f"Smallest p-value of {len(own)} tests: {least.p:.2g} ({least.about}); one as small is "
        f"expected in {100 * chance:.0f} % of sound runs. Adjusted for all {len(tests)} tests: "
        f"{least.adjusted:.2g}."
    )


def _learnt(one: ClimbResult) -> bool:
    return bool(binomtest(one.own, one.bits, alternative="greater").pvalue < LEVEL)


def _broken(rows: Sequence[LayerPrediction]) -> bool:
    """Whether every layer of a control is predicted."""
    return bool(rows) and all(row.p < LEVEL and row.hits >= BROKEN * row.tested for row in rows)


def _right(rows: Sequence[LayerPrediction]) -> str:
    tested = _tested(rows)
    return f"{_share(sum(row.hits for row in rows), tested)} of {tested:,} bits are right."


def _missed(rows: Sequence[LayerPrediction], tests: int) -> str:
    """What could not have been seen, by the normal approximation and the strictest correction."""
    reach = 50 * (norm.isf(LEVEL / tests) + norm.ppf(POWER))
    worst, best = (reach / math.sqrt(extreme(row.tested for row in rows)) for extreme in (min, max))
    return (
        f"Predictors that are right {best:.1f} points (in the largest layer) to {worst:.1f} points "
        "(in the smallest) more often than by chance could have been missed."
    )


def _climbed(climbs: Sequence[ClimbResult]) -> str:
    wanted, alike, first, bits = (
        sum(getattr(one, name) for one in climbs)
        for name in ("wanted", "alike", "start_wanted", "bits")
    )
    return (
        f"{_share(wanted, bits)} of {bits:,} bits agree with the victim's key; the oracle's own "
        f"key agrees with it on {_share(alike, bits)}, the start on {_share(first, bits)}."
    )


def _tested(rows: Sequence[LayerPrediction]) -> int:
    return sum(row.tested for row in rows)


def _share(hits: int, count: int) -> str:
    return f"{100 * hits / count:.2f} %"
