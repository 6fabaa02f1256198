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
from rbnn.audit.bench.plan import Part
from rbnn.audit.bench.results import CellResult
from rbnn.audit.limits import LEAST
from rbnn.frozen import Frozen

ALARMS = 0.05
FEWEST = 10
"""Calibration networks: with fewer, a limit stays as it is. Bands are of sounds only."""
FEWEST_OF_SOUNDS = 4
SHARES = frozenset({"patch", "band", "wave", "superposed samples", "repeated patch"})
SMALLEST_SHARE = 0.01
"""Smaller shares count as this one: the logit would spread those of 0 and 0.001 far apart, and lift
the limit, where both mean none."""
SMALLEST_MULTIPLE = 0.1


class Calibrated(Frozen):
    """One limit, and the clean networks behind it."""

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
    figures: dict[str, list[float]] = {name: [] for name in LEAST}
    for result in results:
        if result.kind is not AttackKind.CLEAN or result.part is not Part.CALIBRATION:
            continue
        if result.audit is None:
            continue
        for scores in result.audit.scores.values():
            for one in scores:
                if one.name in figures:
                    figures[one.name].append(one.value)
    found = []
    for name, values in figures.items():
        if len(values) >= (FEWEST_OF_SOUNDS if name == "band" else FEWEST):
            found.append(_limit(name, values))
    return tuple(found)


def _limit(name: str, values: Sequence[float]) -> Calibrated:
    share = name in SHARES
    scale = np.array([_logit(one) if share else _logarithm(one) for one in values])
    count = len(scale)
    factor = student.ppf(1 - ALARMS / len(LEAST), count - 1) * math.sqrt(1 + 1 / count)
    bound = float(scale.mean() + factor * scale.std(ddof=1))
    predicted = 1 / (1 + math.exp(-bound)) if share else math.exp(bound)
    return Calibrated(
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


def limits_of(found: Sequence[Calibrated]) -> dict[str, float]:
    """Limits by name."""
    return {one.name: one.limit for one in found}
