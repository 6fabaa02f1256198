"""A share of a task's training data: what a thief of its network has."""

from __future__ import annotations

import dataclasses
import zlib

import numpy as np

from rbnn.tasks import Split, TaskData


def share_of(data: TaskData, percent: float, seed: int) -> TaskData:
    """``data`` with a stratified share of its training samples; the test set stays whole.

    Smaller shares of the same seed are part of larger ones.

    Args:
        data: the whole task.
        percent: of each class, above 0 and at most 100; rounded, but at least one sample.
        seed: which samples.
    """
    generator = np.random.default_rng((seed, zlib.crc32(data.name.encode())))
    shuffled = generator.permutation(len(data.train))
    labels = data.train.labels[shuffled]
    chosen = []
    for label in range(len(data.labels)):
        members = shuffled[labels == label]
        chosen.append(members[: max(1, round(percent / 100 * len(members)))])
    places = np.sort(np.concatenate(chosen))
    return dataclasses.replace(
        data, train=Split(data.train.images[places], data.train.labels[places])
    )
