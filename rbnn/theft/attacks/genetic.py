"""A genetic search for a task's key bits, by accuracy on a few labelled samples.

Source: Holland, "Adaptation in Natural and Artificial Systems", 1975; Spillman et al., "Use of a
genetic algorithm in the cryptanalysis of simple substitution ciphers", Cryptologia 1993.

Threat: a thief has the stored bits P and a share of task C's training data with labels. In his
favour, he has C's thresholds and scales and the key of a trunk, which are sealed. A candidate is a
whole key. A parent is the fitter of two drawn candidates; a child has each whole filter from either
parent, and a mutation draws a filter's key bits anew or flips one of them. The child replaces the
least fit candidate, unless it is less fit.

Cost: ``queries`` candidates, each an inference of all samples with the C engine.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rbnn.spec.packing import Bits
from rbnn.theft.attacks.layers import Masks

POPULATION = 16
TOURNAMENT = 2
"""Candidates that compete to be a parent."""
MOST_CHANGED = 4
"""Mutations of a child."""
CHANGED_WHOLE = 0.5
"""Of the mutations, how many draw all unknown bits of a filter."""

Fitness = Callable[[Masks], float]
Genes = dict[int, Bits]


@dataclass(frozen=True)
class Found:
    """The end of a search.

    Args:
        first: the fittest candidate of the first population.
        best: the fittest of all.
        queries: candidates that were tried.
    """

    first: Masks
    best: Masks
    queries: int


def search(
    right: Masks, unknown: Masks, fitness: Fitness, queries: int, generator: np.random.Generator
) -> Found:
    """Search for the unknown bits of a key.

    Args:
        right: the key; only its known bits are used.
        unknown: by layer, True where a bit is unknown.
        fitness: the more, the better.
        queries: candidates to try, at least one.
        generator: of all that is random.
    """
    size = min(POPULATION, queries)
    people = [_drawn(right, unknown, generator) for _ in range(size)]
    fit = [fitness(one) for one in people]
    first = people[int(np.argmax(fit))]
    filters = [
        (number, place)
        for number, own in unknown.items()
        for place in np.flatnonzero(own.reshape(-1, own.shape[-1]).any(axis=0))
    ]
    for _ in range(queries - size):
        mother, father = (people[_winner(fit, generator)] for _ in range(2))
        child = _child(mother, father, unknown, filters, generator)
        worst, value = int(np.argmin(fit)), fitness(child)
        if value >= fit[worst]:
            people[worst], fit[worst] = child, value
    return Found(first, people[int(np.argmax(fit))], queries)


def _drawn(right: Masks, unknown: Masks, generator: np.random.Generator) -> Genes:
    """A candidate: random where bits are unknown."""
    return {
        number: np.where(
            unknown[number], generator.integers(0, 2, bits.shape).astype(np.bool_), bits
        )
        for number, bits in right.items()
    }


def _winner(fit: list[float], generator: np.random.Generator) -> int:
    rivals = generator.integers(0, len(fit), TOURNAMENT)
    return int(max(rivals, key=lambda one: fit[one]))


def _child(
    mother: Genes,
    father: Genes,
    unknown: Masks,
    filters: list[tuple[int, npt.NDArray[np.int64]]],
    generator: np.random.Generator,
) -> Genes:
    """Each filter from either parent, and a few mutations."""
    child = {}
    for number, bits in mother.items():
        chosen = generator.random(bits.shape[-1]) < 0.5
        child[number] = np.where(chosen, bits, father[number])
    for _ in range(int(generator.integers(1, MOST_CHANGED + 1))):
        number, place = filters[int(generator.integers(len(filters)))]
        own, free = child[number][..., place], unknown[number][..., place]
        if generator.random() < CHANGED_WHOLE:
            child[number][..., place] = np.where(
                free, generator.integers(0, 2, own.shape).astype(np.bool_), own
            )
            continue
        flat = own.reshape(-1).copy()
        flat[generator.choice(np.flatnonzero(free))] ^= True
        child[number][..., place] = flat.reshape(own.shape)
    return child


def unknown_bits(
    masks: Masks, outputs: int, count: int | None, generator: np.random.Generator
) -> Genes:
    """``count`` bits of the last layer's first ``outputs`` filters; None for all of them."""
    last = max(masks)
    unknown = {number: np.zeros(bits.shape, np.bool_) for number, bits in masks.items()}
    shape = masks[last].shape
    places = np.flatnonzero(np.arange(masks[last].size) % shape[-1] < outputs)
    unknown[last].reshape(-1)[generator.permutation(places)[:count]] = True
    return unknown
