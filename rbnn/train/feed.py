"""Sub-batches that depend only on the step: a resumed run sees what an uninterrupted one sees.

Every task is drawn without replacement: each sample once, in a fresh order, before any is repeated.
The order depends on the seed and the task's name, not on the other tasks, so the single-task
network trains on the same samples in the same order.
"""

from __future__ import annotations

import zlib

import numpy as np

from rbnn.tasks import TaskData
from rbnn.tasks.dataset import Images, Labels
from rbnn.train.augment import augment


class TaskFeed:
    """One task's endless sequence of sub-batches.

    Args:
        data: the task.
        batch: samples per step.
        seed: the run's seed.
    """

    def __init__(self, data: TaskData, batch: int, seed: int) -> None:
        self.data = data
        self.batch = batch
        self._seed = (seed, zlib.crc32(data.name.encode()))
        self._order: tuple[int, np.ndarray[tuple[int], np.dtype[np.int64]]] | None = None

    def _pass_order(self, number: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        """Order of the samples in pass ``number`` over the training set."""
        if self._order is None or self._order[0] != number:
            generator = np.random.default_rng((*self._seed, 0, number))
            self._order = (number, generator.permutation(len(self.data.train)))
        return self._order[1]

    def indices(self, step: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        """Numbers of the training samples of step ``step`` (from 0), ``batch`` of them."""
        size = len(self.data.train)
        first = step * self.batch
        pieces = []
        while first < (step + 1) * self.batch:
            number, place = divmod(first, size)
            piece = self._pass_order(number)[place : place + (step + 1) * self.batch - first]
            pieces.append(piece)
            first += len(piece)
        return np.concatenate(pieces)

    def at(self, step: int) -> tuple[Images, Labels]:
        """The augmented sub-batch of step ``step``.

        Returns:
            images (batch, height, width, c) uint8; labels (batch,) int64.
        """
        chosen = self.indices(step)
        generator = np.random.default_rng((*self._seed, 1, step))
        images = augment(self.data.train.images[chosen], self.data, generator)
        return images, self.data.train.labels[chosen]
