"""Learning rate over a run: linear warm-up, then half a cosine down to zero."""

from __future__ import annotations

import math

WARM_UP = 0.03
"""Share of the run that the warm-up takes."""


def learning_rate(peak: float, progress: float) -> float:
    """The rate at one point of a run.

    Args:
        peak: highest rate.
        progress: share of the run that is done, 0 to 1: of its steps or, with ``--minutes``, of
            its time, whichever is more.

    Source: Loshchilov and Hutter, "SGDR", ICLR 2017 (one cosine, no restarts).
    """
    if progress < WARM_UP:
        # Never zero, so that the first step already moves.
        return peak * max(progress / WARM_UP, 0.02)
    rest = min((progress - WARM_UP) / (1 - WARM_UP), 1.0)
    return peak * 0.5 * (1 + math.cos(math.pi * rest))
