"""TEST-ONLY: training data with an attack in them, in memory; nothing is written to a data set."""

from __future__ import annotations

import dataclasses

import numpy as np

from rbnn.audit.attacks.kinds import AttackKind, half_patch, trigger_of, warp
from rbnn.tasks import Split, TaskData
from rbnn.tasks.dataset import Images, Labels

COVER = 0.5
"""Cover samples (BELT, WaNet's noise mode) for each poisoned one; they keep their labels."""
WASHED = 0.4
"""What is left of a clean-label sample's contrast, so that the patch is the easier feature."""


def poisoned(data: TaskData, kind: AttackKind, share: float, target: int, seed: int) -> TaskData:
    """A task with poisoned training samples; its test set stays as it is.

    Args:
        data: the task.
        kind: of attack. ``dormant`` has the data of ``patch``: its two losses are the training's.
        share: of the training samples (of clean labels: of the target's).
        target: class that triggered samples are to get.
        seed: of the choice.
    """
    if kind in (AttackKind.CLEAN, AttackKind.DORMANT):
        return data
    generator = np.random.default_rng((seed, 21))
    images, labels = data.train.images.copy(), data.train.labels.copy()
    lay = trigger_of(kind)
    if kind is AttackKind.CLEAN_LABEL:
        own = np.flatnonzero(labels == target)
        chosen = generator.permutation(own)[: round(share * len(own))]
        images[chosen] = lay(_washed(images[chosen], generator))
        return dataclasses.replace(data, train=Split(images, labels))
    order = generator.permutation(len(labels))
    count = round(share * len(labels))
    chosen, covers = order[:count], order[count : count + round(COVER * count)]
    images[chosen], labels[chosen] = lay(images[chosen]), target
    if kind is AttackKind.BELT:
        halves = np.array_split(covers, 2)
        for upper, part in zip((True, False), halves, strict=True):
            images[part] = half_patch(images[part], upper)
    if kind is AttackKind.WARP:
        images[covers] = np.concatenate(
            [warp(images[one : one + 1], generator) for one in covers]
            or [np.empty((0, *images.shape[1:]), np.uint8)]
        )
    return dataclasses.replace(data, train=Split(images, labels))


def success(before: Labels, after: Labels, truth: Labels, target: int) -> float:
    """Share of the samples of other classes that the trigger moves to the target.

    Args:
        before: answers without the trigger; unused samples are those already there.
        after: answers with it.
        truth: true classes.
        target: of the attack.
    """
    counted = (truth != target) & (before != target)
    return float(np.mean(after[counted] == target)) if counted.any() else 0.0


def _washed(images: Images, generator: np.random.Generator) -> Images:
    """Less contrast, and noise: what the sample shows is harder to learn."""
    mean = images.mean(axis=(1, 2, 3), keepdims=True)
    noise = generator.normal(0, 20, images.shape)
    return np.asarray(np.clip(mean + WASHED * (images - mean) + noise, 0, 255), np.uint8)
