"""Integer softmax: logits in Q12.20 to scores in parts per million that sum to 1,000,000.

``2^-f`` is interpolated linearly between ``TABLE_STEPS + 1`` table entries, so host and device
agree in every digit. Both sides follow this order of operations::

    d   = max(logits) - logit                 (u32, Q12.20; 2^32 is never reached)
    t   = (d * LOG2_E_Q16) >> 16              (u64 product; Q.20 power of two)
    n   = t >> 20;  f = t & (2^20 - 1)
    i   = f >> 15;  r = f & (2^15 - 1)
    e   = (TABLE[i] - (((TABLE[i] - TABLE[i + 1]) * r) >> 15)) >> n     (0 where n > 16)
    ppm = (e * 1000000) / sum(e)              (u64, floor)

and what rounding down leaves over goes to the best class (the lowest number on a tie).
"""

from __future__ import annotations

TABLE_STEPS = 32
LOG2_E_Q16 = 94548
PPM = 1_000_000
TABLE = tuple(round(2 ** (-i / TABLE_STEPS) * 65536) for i in range(TABLE_STEPS + 1))


def softmax_ppm(logits: list[int]) -> list[int]:
    """Scores of one sample.

    Args:
        logits: int32 values in Q12.20, one per class, at least one.

    Returns:
        One score per class in parts per million; non-negative, summing to 1,000,000.
    """
    best = max(logits)
    weights = []
    for logit in logits:
        power = ((best - logit) * LOG2_E_Q16) >> 16
        whole, fraction = power >> 20, power & 0xFFFFF
        step, rest = fraction >> 15, fraction & 0x7FFF
        value = TABLE[step] - (((TABLE[step] - TABLE[step + 1]) * rest) >> 15)
        weights.append(value >> whole if whole <= 16 else 0)
    total = sum(weights)
    scores = [weight * PPM // total for weight in weights]
    scores[logits.index(best)] += PPM - sum(scores)
    return scores
