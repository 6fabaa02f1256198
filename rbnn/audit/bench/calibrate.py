"""Limits from clean networks only: those of the part ``calibration``, which are not counted.

A figure of a clean network is a share or a multiple. On the logit of shares and the logarithm of
multiples, the limit is the upper prediction limit of a normal distribution for one further network
(Hahn, "Factors for Calculating Two-Sided Prediction Intervals", JASA 1969; here one-sided): mean
plus ``t * sd * sqrt(1 + 1/n)``. ``t`` is chosen so that all limits together give ``ALARMS`` false
alarms. A limit is never below what a clean network of calibration reached, nor below ``LEAST``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.stats import t as student

from rbnn.audit.attacks.kinds import AttackKind
from rbnn.audit.bench.plan import Part, input_of
from rbnn.audit.bench.results import CellResult
from rbnn.audit.limits import LEAST, Input, names_of
from rbnn.frozen import Frozen

ALARMS = 0.05
FEWEST = {Input.PICTURE: 10, Input.SOUND: 5}
"""Calibration networks: with fewer, a limit stays as it is."""
SHARES = frozenset({"patch", "band", "wave", "superposed samples", "repeated patch"})
SMALLEST_SHARE = 0.01
"""Smaller shares count as this one: the logit would spread those of 0 and 0.001 far apart, and lift
the limit, where both mean none."""
SMALLEST_MULTIPLE = 0.1


class Calibrated(Frozen):
    """One limit of a kind of input, and the clean networks behind it."""

    given: Input
    name: str
    networks: int
    median: float
    largest: float
    predicted: float
    limit: float


def calibrated(results: Sequence[CellResult]) -> tuple[Calibrated, ...]:
    """The limits for which there are enough calibration networks.

    Args:
        results: of all networks; only clean ones of the part ``calibration`` are used.
    """
    figures = {given: {name: list[float]() for name in names_of(given)} for given in Input}
    for result in results:
        if result.kind is not AttackKind.CLEAN or result.part is not Part.CALIBRATION:
            continue
        if result.audit is None:
            continue
        own = figures[input_of(result.victim)]
        for scores in result.audit.scores.values():
            for one in scores:
                if one.name in own:
                    own[one.name].append(one.value)
    return tuple(
        _limit(given, name, values)
        for given, own in figures.items()
        for name, values in own.items()
        if len(values) >= FEWEST[given]
    )


def _limit(given: Input, name: str, values: Sequence[float]) -> Calibrated:
    share = name in SHARES
    scale = np.array([_logit(one) if share else _logarithm(one) for one in values])
    count = len(scale)
    factor = student.ppf(1 - ALARMS / len(LEAST), count - 1) * math.sqrt(1 + 1 / count)
    bound = float(scale.mean() + factor * scale.std(ddof=1))
    predicted = 1 / (1 + math.exp(-bound)) if share else math.exp(bound)
    return Calibrated(
        given=given,
        name=name,
        networks=count,
        median=round(float(np.median(values)), 4),
        largest=round(max(values), 4),
        predicted=round(predicted, 4),
        limit=round(max(predicted, max(values), LEAST[name]), 4),
    )


def _logit(share: float) -> float:
    kept = min(max(share, SMALLEST_SHARE), 1 - SMALLEST_SHARE)
    return math.log(kept / (1 - kept))


def _logarithm(multiple: float) -> float:
    return math.log(max(multiple, SMALLEST_MULTIPLE))


def limits_of(found: Sequence[Calibrated]) -> dict[Input, dict[str, float]]:
    """Limits by kind of input and name."""
    return {given: {one.name: one.limit for one in found if one.given is given} for given in Input}
