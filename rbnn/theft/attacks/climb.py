"""Hill climbing on one layer's key bits with a licensed device as oracle.

Source: Rührmair et al., "Modeling attacks on physical unclonable functions", CCS 2010 (fitting key
bits to an oracle's answers).

Threat: a thief knows P and asks a device that is licensed for task A: images in, scores out. In his
favour, he knows all of K_A but some bits of one layer, and A's thresholds and
scales. He flips bits of the candidate one by one and keeps what brings the logits closer to the
oracle's. What he learns is K_A, which the control checks; the claim is that it tells nothing of
K_C.

A candidate that has become K_A agrees with K_C wherever K_A does: on n bits that is n coin flips,
made when the keys were drawn, and more queries or another start do not flip them again. So
agreement with K_C is no evidence by itself. A pull towards K_C shows in the bits that are still
unlike K_A: they are then found where the two keys differ (:func:`pull`).

Cost: one inference of all query images per flip.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
from scipy.stats import hypergeom

from rbnn.spec.packing import Bits
from rbnn.theft.attacks.forced import Images
from rbnn.theft.attacks.layers import Masks

MOST_BITS = 64
"""Key bits that are climbed at once."""
QUESTIONS = 256
"""Images that the oracle is asked about."""


class Engine(Protocol):
    """Answers images with scores, under key bits of the thief's choice."""

    def logits(self, masks: Masks, images: Images) -> npt.NDArray[np.float64]:
        """Scores, (n, classes); layers that ``masks`` leaves out have their right key."""


@dataclass(frozen=True)
class Climb:
    """What climbing found.

    Args:
        layer: whose bits.
        bits: how many were unknown.
        queries: how many candidates were tried.
        alike: of these bits, how many K_A and K_C have in common.
        start_own: how many of the first candidate agreed with K_A.
        start_wanted: and with K_C.
        own: how many of the last candidate agree with K_A.
        wanted: and with K_C.
    """

    layer: int
    bits: int
    queries: int
    alike: int
    start_own: int
    start_wanted: int
    own: int
    wanted: int


def pull(bits: int, alike: int, own: int, wanted: int) -> float:
    """One-sided p-value of "the bits unlike K_A are no more often like K_C than others would be".

    Given how many bits the keys have in common (``alike``) and how many bits are unlike K_A, the
    number of those at places where the keys differ is hypergeometric.

    Source: Fisher, "The logic of inductive inference", J. R. Stat. Soc. 1935 (exact test).
    """
    unlike = bits - own
    # wanted = alike - (unlike, keys alike) + (unlike, keys differ)
    taken = (wanted - alike + unlike) // 2
    return float(hypergeom.sf(taken - 1, bits, bits - alike, unlike))


def climb(
    engine: Engine,
    number: int,
    own: Bits,
    wanted: Bits,
    images: Images,
    outputs: int,
    queries: int,
    seed: Sequence[int],
    most: int = MOST_BITS,
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
        most: key bits to climb at once.
    """
    generator = np.random.default_rng((*seed, number, 3))
    missing = (max(0, QUESTIONS - len(images)), *images.shape[1:])
    noise = generator.integers(0, 256, missing).astype(np.uint8)
    images = np.concatenate([images[:QUESTIONS], noise])
    oracle = engine.logits({number: own}, images)
    used = np.flatnonzero(np.arange(own.size) % own.shape[-1] < outputs)
    places = generator.permutation(used)[:most]
    mask = own.copy()
    flat = mask.reshape(-1)
    flat[places] = generator.integers(0, 2, len(places)).astype(np.bool_)

    def agreeing(key: Bits) -> int:
        return int((flat == key.reshape(-1))[places].sum())

    start_own, start_wanted = agreeing(own), agreeing(wanted)

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
        layer=number,
        bits=len(places),
        queries=tried,
        alike=int((own == wanted).reshape(-1)[places].sum()),
        start_own=start_own,
        start_wanted=start_wanted,
        own=agreeing(own),
        wanted=agreeing(wanted),
    )
