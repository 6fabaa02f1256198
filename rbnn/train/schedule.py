"""Learning rate over a run: linear warm-up, then half a cosine down to nothing.

A run that ends by fine-tuning what its tasks have of their own has a second such curve there.
"""

from __future__ import annotations

import math

WARM_UP = 0.03
"""Share of the run that the warm-up takes."""


def fine_tunes(progress: float, fine_tune: float) -> bool:
    """Whether a run that has come so far fine-tunes; ``fine_tune``: the share of it that does."""
    return fine_tune > 0 and progress >= 1 - fine_tune


def learning_rate(peak: float, progress: float, fine_tune: float = 0.0) -> float:
    """The rate at one point of a run.

    Args:
        peak: highest rate.
        progress: share of the run that is done, 0 to 1: of its steps or, with ``--minutes``, of
            its time, whichever is more.
        fine_tune: last share of the run, which fine-tunes, 0 to less than 1.

    Source: Loshchilov and Hutter, "SGDR", ICLR 2017 (one cosine, no restarts).
    """
    if fine_tunes(progress, fine_tune):
        return learning_rate(peak, (progress - (1 - fine_tune)) / fine_tune)
    progress /= 1 - fine_tune
    if progress < WARM_UP:
        # Never zero, so that the first step already moves.
        return peak * max(progress / WARM_UP, 0.02)
    rest = min((progress - WARM_UP) / (1 - WARM_UP), 1.0)
    return peak * 0.5 * (1 + math.cos(math.pi * rest))
