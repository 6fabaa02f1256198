"""How well key bits are predicted by what a licence for another task reveals.

Source: Rivest, "Cryptography and machine learning", ASIACRYPT 1991 (predicting key bits as a
learning problem); Fisher, "The logic of inductive inference", J. R. Stat. Soc.
1935 (exact test of association).

Threat: a thief with the stored bits P and a licence for task A, so K_A and ``W_A = P xor K_A``,
wants the key stream K_C of task C. In his favour, half of each layer's K_C is given to him as
examples; he predicts the other half.

P by itself is no predictor here. K_C is P xor C's weights, so where more weights are +1 than -1, P
or its inverse agrees with K_C more often than not, whatever P is: that is the weights' bias, which
needs no licence and tells nothing of single weights. What a predictor says of K_C is therefore
turned into what it says of C's weights, and tested for an association with them, given how many
weights are +1.

Cost: for a layer of n bits one least-squares fit of n / 2 examples and 22 unknowns in each order
of bits, and a count per period: under a minute for two million bits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.stats import hypergeom

from rbnn.spec.packing import Bits

PERIODS = (8, 16, 32, 64, 128, 256, 512, 1024, 4096)
"""Of key streams that are tried for repetition, in bits."""
LAGS = (-32, -2, -1, 0, 1, 2, 32)
"""Neighbours in the order of bits that the linear predictor sees, itself included."""
CHOOSING = 5
"""One part in this many of the examples chooses the predictor."""


@dataclass(frozen=True)
class LayerBits:
    """A layer in one order of bits, flat.

    Args:
        stored: P.
        other: K_A.
        wanted: K_C.
        real: True where a bit is no padding; only these are fitted and tested.
        periods: to be tried; in Keras' order, that of one tap finds keys per pair of channels.
    """

    stored: Bits
    other: Bits
    wanted: Bits
    real: Bits
    periods: tuple[int, ...]

    @property
    def weights(self) -> Bits:
        """Of task C, which the thief does not know."""
        return self.stored ^ self.wanted


@dataclass(frozen=True)
class Prediction:
    """The chosen predictor of a layer on the half that it has not seen.

    Args:
        predictor: which one was chosen on examples.
        tested: number of bits.
        hits: how many of them are right.
        usual: how many are right by the guess that every weight of C has the layer's usual sign.
        p: one-sided p-value of "no association with C's weights".
    """

    predictor: str
    tested: int
    hits: int
    usual: int
    p: float


def predict_layer(views: dict[str, LayerBits], seed: int) -> Prediction:
    """Fit all predictors on half of the bits, choose one, and test it on the other half.

    Args:
        views: the layer's bits by name of their order; the same bits, and padding.
        seed: which half.
    """
    found = []
    for place, (order, view) in enumerate(views.items()):
        generator = np.random.default_rng((seed, place))
        part = generator.integers(0, 2 * CHOOSING, len(view.wanted))
        fitting, choosing, testing = (
            chosen & view.real
            for chosen in (part < CHOOSING - 1, part == CHOOSING - 1, part >= CHOOSING)
        )
        for name, guess in _guesses(view, fitting).items():
            own = Agreement.of((view.stored ^ guess)[choosing], view.weights[choosing])
            found.append((own.correlation, f"{name}, {order}", guess, testing, view))
    _, name, guess, testing, view = max(found, key=lambda one: one[0])
    usual = view.weights[view.real & ~testing].mean() >= 0.5
    own = Agreement.of((view.stored ^ guess)[testing], view.weights[testing])
    return Prediction(
        predictor=name,
        tested=int(testing.sum()),
        hits=int((guess == view.wanted)[testing].sum()),
        usual=int((view.weights == usual)[testing].sum()),
        p=own.p,
    )


@dataclass(frozen=True)
class Agreement:
    """Of ``count`` weights, ``positive`` are +1, ``said`` were called +1, ``both`` are both."""

    count: int
    positive: int
    said: int
    both: int

    @classmethod
    def of(cls, said: Bits, weights: Bits) -> Agreement:
        """Count."""
        return cls(len(said), int(weights.sum()), int(said.sum()), int((said & weights).sum()))

    @property
    def correlation(self) -> float:
        """From -1 to 1; 0 if all weights are, or were called, the same."""
        share, said = self.positive / max(self.count, 1), self.said / max(self.count, 1)
        spread = math.sqrt(share * (1 - share) * said * (1 - said))
        return (self.both / self.count - share * said) / spread if spread > 0 else 0.0

    @property
    def p(self) -> float:
        """One-sided p-value of "no association"."""
        return float(hypergeom.sf(self.both - 1, self.count, self.positive, self.said))


def _guesses(view: LayerBits, known: Bits) -> dict[str, Bits]:
    """K_C as each predictor has it, fitted on the bits that are ``known``."""
    guesses = {
        "K_A": view.other,
        "W_A": view.stored ^ view.other,
        "linear": _linear(view, known),
    }
    # A predictor may be right when negated.
    for name in ("K_A", "W_A"):
        said = (view.stored ^ guesses[name])[known]
        if Agreement.of(said, view.weights[known]).correlation < 0:
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
