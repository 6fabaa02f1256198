"""Where a thief's fine-tuning starts: from stolen bits, or from nothing.

A thief knows bits, not the latent values that they came from. So every start from bits has latent
values of one size per layer, ``magnitude`` times the root mean square of that layer's usual initial
values. The sign hides the size; only its ratio to the learning rate matters: after how many steps a
bit can flip. As the size is the same for all of them, starts from bits differ only in their bits.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from rbnn.runs.parameters import Array, ModelParameters, Normalisation, OwnWeights

Signs = npt.NDArray[np.int8]
"""A kernel's bits as -1 and +1, in Keras' order."""
AnyArray = TypeVar("AnyArray", Array, Signs)


class Start(StrEnum):
    """The starts, in the order of tables."""

    BITS = "bits"
    """The stored bits P as they lie in flash, without any key."""
    RANDOM = "random"
    """Random bits in their place."""
    GLOROT = "glorot"
    """What training usually starts from: random values of random sizes."""
    LICENCE = "licence"
    """The stored bits under another task's licence: that task's network, its norms included."""
    ALONE = "alone"
    """That other task's single-task network, its norms included."""
    VICTIM = "victim"
    """The victim's own bits, as its secret would give them: what theft would look like."""


@dataclass(frozen=True)
class Loot:
    """A network in a thief's hands.

    Args:
        kernels: by layer number.
        classes: number of outputs of the last layer that belong to a task; None for all.
        own: a run's parameters, for what belongs only to ``task``; None if the thief has only bits.
        task: a name in ``own``.
    """

    kernels: Mapping[int, Signs]
    classes: int | None = None
    own: ModelParameters | None = None
    task: str = ""


def signs_of(kernels: Mapping[int, Array]) -> dict[int, Signs]:
    """The bits of latent or binary kernels: +1 where a value is >= 0."""
    return {
        number: np.where(values >= 0, 1, -1).astype(np.int8) for number, values in kernels.items()
    }


def random_signs(kernels: Mapping[int, Array], victim: str, seed: int) -> dict[int, Signs]:
    """Fair random bits in the shape of ``kernels``, different for each victim and seed."""
    generator = np.random.default_rng((seed, zlib.crc32(victim.encode()), 2))
    return {
        number: np.where(generator.random(values.shape) < 0.5, -1, 1).astype(np.int8)
        for number, values in kernels.items()
    }


def starting_point(
    fresh: ModelParameters, victim: str, loot: Loot | None, magnitude: float, seed: int
) -> ModelParameters:
    """Values to fine-tune from.

    If the loot has fewer outputs than the victim has classes, the bits of the remaining outputs are
    random and their norms fresh.

    Args:
        fresh: what training of ``victim`` would start from.
        victim: name of the one task in ``fresh``.
        loot: what the thief has; None for ``fresh`` itself.
        magnitude: of the latent values, in root mean squares of the fresh ones.
        seed: of random bits.

    Raises:
        ValueError: the loot is a network of another shape.
    """
    if loot is None:
        return fresh
    last = max(fresh.normalisations[victim])
    kernels = {}
    for number, bits in random_signs(fresh.kernels, victim, seed).items():
        stolen = loot.kernels.get(number)
        if stolen is None or stolen.shape[:-1] != bits.shape[:-1]:
            received = None if stolen is None else stolen.shape
            raise ValueError(f"Kernel {number} has shape {bits.shape}. Received: {received}")
        whole = _replace_first(bits, stolen, loot.classes if number == last else None)
        mean_square = np.mean(np.square(fresh.kernels[number], dtype=np.float64))
        size = min(magnitude * float(np.sqrt(mean_square)), 1.0)
        kernels[number] = np.float32(size) * whole.astype(np.float32)
    if loot.own is None:
        return replace(fresh, kernels=kernels)
    norms = dict(loot.own.normalisations[loot.task])
    norms[last] = _replace_outputs(fresh.normalisations[victim][last], norms[last], loot.classes)
    weights = dict(loot.own.weights.get(loot.task, {}))
    if last in weights:
        weights[last] = _replace_weights(fresh.weights[victim][last], weights[last], loot.classes)
    return ModelParameters(
        kernels,
        {victim: norms},
        {victim: loot.own.activations.get(loot.task, {})},
        {victim: loot.own.signs.get(loot.task, {})},
        {victim: weights},
    )


def _replace_first(below: AnyArray, above: AnyArray, limit: int | None) -> AnyArray:
    """``below`` with the first entries of its last axis, at most ``limit``, from ``above``."""
    count = min(below.shape[-1], above.shape[-1] if limit is None else limit)
    result = below.copy()
    result[..., :count] = above[..., :count]
    return result


def _replace_weights(below: OwnWeights, above: OwnWeights, limit: int | None) -> OwnWeights:
    """The same for a layer's 8-bit weights."""
    return OwnWeights(
        weights=_replace_first(below.weights, above.weights, limit),
        steps=_replace_first(below.steps, above.steps, limit),
    )


def _replace_outputs(
    below: Normalisation, above: Normalisation, limit: int | None
) -> Normalisation:
    """The same for the last layer's batch norm."""
    return Normalisation(
        gamma=_replace_first(below.gamma, above.gamma, limit),
        beta=_replace_first(below.beta, above.beta, limit),
        mean=_replace_first(below.mean, above.mean, limit),
        variance=_replace_first(below.variance, above.variance, limit),
        epsilon=below.epsilon,
    )
