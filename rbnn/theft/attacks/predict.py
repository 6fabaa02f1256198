"""How well key bits are predicted by what a licence for another task reveals.

Source: Rivest, "Cryptography and machine learning", ASIACRYPT 1991 (predicting key bits as a
learning problem); Clopper and Pearson, Biometrika 1934 (exact intervals).

Threat: a thief with the stored bits P and a licence for task A, so K_A and ``W_A = P xor K_A``,
wants the key stream K_C of task C. In his favour, half of each layer's K_C is given to him as
examples; he predicts the other half.

Cost: for a layer of n bits one least-squares fit of n / 2 examples and 22 unknowns in each order
of bits, and a count per period: under a minute for two million bits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest

from rbnn.spec.packing import Bits

PERIODS = (8, 16, 32, 64, 128, 256, 512, 1024, 4096)
"""Of key streams that are tried for repetition, in bits."""
LAGS = (-32, -2, -1, 0, 1, 2, 32)
"""Neighbours in the order of bits that the linear predictor sees, itself included."""
LEVEL = 0.05
CHOOSING = 5
"""One part in this many of the examples chooses the predictor."""


@dataclass(frozen=True)
class LayerBits:
    """A layer in one order of bits, flat.

    Args:
        stored: P.
        other: K_A.
        wanted: K_C.
        periods: to be tried; in Keras' order, that of one tap finds keys per pair of channels.
    """

    stored: Bits
    other: Bits
    wanted: Bits
    periods: tuple[int, ...]


@dataclass(frozen=True)
class Prediction:
    """The chosen predictor of a layer on the half that it has not seen.

    Args:
        predictor: which one was chosen on examples.
        tested: number of bits.
        accuracy: share of 1; ``low`` and ``high`` bound its interval.
        prior: the accuracy of guessing that every weight of C has the layer's usual sign, which
            takes no key and no licence.
        beyond: one-sided p-value of "no better than one half and than that guess".
    """

    predictor: str
    tested: int
    accuracy: float
    low: float
    high: float
    prior: float
    beyond: float


def predict_layer(views: dict[str, LayerBits], seed: int, tests: int) -> Prediction:
    """Fit all predictors on half of the bits, choose one, and test it on the other half.

    Args:
        views: the layer's bits by name of their order; the same bits, or padding as well.
        seed: which half.
        tests: number of layers that are judged together (Bonferroni).
    """
    found = []
    for place, (order, view) in enumerate(views.items()):
        generator = np.random.default_rng((seed, place))
        part = generator.integers(0, 2 * CHOOSING, len(view.wanted))
        fitting, choosing, testing = part < CHOOSING - 1, part == CHOOSING - 1, part >= CHOOSING
        for name, guess in _guesses(view, fitting).items():
            right = guess == view.wanted
            found.append((float(right[choosing].mean()), f"{name}, {order}", right, testing, view))
    chosen = max(found, key=lambda one: one[0])
    _, name, right, testing, view = chosen
    usual = (view.stored ^ view.wanted)[~testing].mean() >= 0.5
    prior = ((view.stored ^ usual) == view.wanted)[testing]
    own = right[testing]
    count, hits = len(own), int(own.sum())
    interval = binomtest(hits, count).proportion_ci(1 - LEVEL / tests)
    better, worse = int((own & ~prior).sum()), int((~own & prior).sum())
    over_half = float(binomtest(hits, count, alternative="greater").pvalue)
    over_prior = (
        float(binomtest(better, better + worse, alternative="greater").pvalue)
        if better + worse
        else 1.0
    )
    return Prediction(
        name, count, hits / count, float(interval.low), float(interval.high),
        float(prior.mean()), max(over_half, over_prior),
    )  # fmt: skip


def _guesses(view: LayerBits, known: Bits) -> dict[str, Bits]:
    """K_C as each predictor has it, fitted on the bits that are ``known``."""
    guesses = {
        "K_A": view.other,
        "P": view.stored,
        "W_A": view.stored ^ view.other,
        "linear": _linear(view, known),
    }
    # A predictor may be right when negated.
    for name in ("K_A", "P", "W_A"):
        if (guesses[name] == view.wanted)[known].mean() < 0.5:
            guesses[name] = ~guesses[name]
    for period in view.periods:
        if 0 < period <= len(known) // 2:
            guesses[f"period {period}"] = _majority(view.wanted, known, period)
    return guesses


def _linear(view: LayerBits, known: Bits) -> Bits:
    """Least squares over P, K_A and W_A at each bit and its neighbours."""
    columns = [np.ones(len(known), np.float32)]
    for bits in (view.stored, view.other, view.stored ^ view.other):
        signs = np.where(bits, np.float32(1), np.float32(-1))
        columns += [np.roll(signs, lag) for lag in LAGS]
    matrix = np.stack(columns, axis=1)
    target = np.where(view.wanted[known], np.float32(1), np.float32(-1))
    weights = np.linalg.lstsq(matrix[known], target, rcond=None)[0]
    return np.asarray(matrix @ weights >= 0, np.bool_)


def _majority(wanted: Bits, known: Bits, period: int) -> Bits:
    """Each bit as most known bits a multiple of ``period`` away; True where there is none."""
    places = np.arange(len(wanted)) % period
    signs = np.where(wanted[known], 1.0, -1.0)
    votes = np.bincount(places[known], signs, period)
    return np.asarray(votes[places] >= 0, np.bool_)
