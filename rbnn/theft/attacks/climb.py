"""Hill climbing on one layer's key bits with a licensed device as oracle.

Source: Rührmair et al., "Modeling attacks on physical unclonable functions", CCS 2010 (fitting key
bits to an oracle's answers).

Threat: a thief knows P and asks a device that is licensed for task A: images in, scores out. In his
favour, he knows all of K_A but some bits of one layer, and A's thresholds and
scales. He flips bits of the candidate one by one and keeps what brings the logits closer to the
oracle's. What he learns is K_A, which the control checks; the claim is that it tells nothing of
K_C.

Cost: one inference of all query images per flip.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rbnn.spec.packing import Bits
from rbnn.theft.attacks.forced import ForcedEngine, Images

MOST_BITS = 64
"""Key bits that are climbed at once."""
QUESTIONS = 256
"""Images that the oracle is asked about."""


@dataclass(frozen=True)
class Climb:
    """What climbing found.

    Args:
        layer: whose bits.
        bits: how many were unknown.
        queries: how many candidates were tried.
        own: of these bits, how many agree with K_A.
        wanted: and how many with K_C.
    """

    layer: int
    bits: int
    queries: int
    own: int
    wanted: int


def climb(
    engine: ForcedEngine,
    number: int,
    own: Bits,
    wanted: Bits,
    images: Images,
    outputs: int,
    queries: int,
    seed: int,
) -> Climb:
    """Climb from random bits towards K_A.

    Args:
        engine: of task A; its right network is the oracle.
        number: of the layer.
        own: the layer's bits of K_A, to be found.
        wanted: the layer's bits of K_C.
        images: that the oracle is asked about; noise makes up for missing ones.
        outputs: filters of the layer that task A uses.
        queries: candidates to try.
        seed: of all that is random.
    """
    generator = np.random.default_rng((seed, number, 3))
    missing = (max(0, QUESTIONS - len(images)), *images.shape[1:])
    noise = generator.integers(0, 256, missing).astype(np.uint8)
    images = np.concatenate([images[:QUESTIONS], noise])
    oracle = engine.logits({number: own}, images)
    used = np.flatnonzero(np.arange(own.size) % own.shape[-1] < outputs)
    places = generator.permutation(used)[:MOST_BITS]
    mask = own.copy()
    flat = mask.reshape(-1)
    flat[places] = generator.integers(0, 2, len(places)).astype(np.bool_)

    def distance() -> float:
        found = engine.logits({number: mask}, images)
        return float(np.square(found - oracle).sum())

    best, tried = distance(), 0
    while tried < queries:
        for place in generator.permutation(places)[: queries - tried]:
            flat[place] = ~flat[place]
            tried += 1
            now = distance()
            if now > best:
                flat[place] = ~flat[place]
            best = min(best, now)
    return Climb(
        number, len(places), tried,
        int((flat == own.reshape(-1))[places].sum()),
        int((flat == wanted.reshape(-1))[places].sum()),
    )  # fmt: skip
