"""Which test samples of a task are also among its training samples.

Two samples are *equal* if their decoded bytes are. They are *alike* if they correlate almost
perfectly at 16x16. For each test sample only one training sample is compared in this way: the one
with the most similar grey thumbnail of 8x8.

So a picture that was scaled, compressed, brightened or given more contrast is found, and a sound
that was made louder or coded anew. What was shifted, cropped, mirrored or turned is not found, nor
is another picture of the same object or another word of the same speaker. Of sets whose samples
look much alike, a few in a thousand are counted although they are different (8 of 4,000 of
Fashion-MNIST, none of 3,000 of MNIST).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rbnn.tasks.dataset import Images, Labels, TaskData

COARSE, FINE = 8, 16
"""Sides to which samples are scaled: to find the nearest one, and to compare."""
ALIKE = 0.995
"""Correlation from which on two samples are alike."""
BLOCK = 256
"""Test samples that are compared at a time."""
Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Overlap:
    """How many test samples are also in the training set.

    Args:
        equal: in every byte.
        alike: of the others, those that are alike to a training sample.
    """

    equal: int
    alike: int


def find_overlap(task: TaskData) -> Overlap:
    """Compare a task's test samples with its training samples."""
    test, train = task.test.images, task.train.images
    known = {image.tobytes() for image in train}
    others = test[[image.tobytes() not in known for image in test]]
    return Overlap(equal=len(test) - len(others), alike=_count_alike(others, train))


def describe_overlap(task: TaskData, overlap: Overlap) -> str | None:
    """What a reader of the task's accuracy must know; None if no sample is in both sets."""
    equal, alike, count = overlap.equal, overlap.alike, len(task.test)
    if not equal and not alike:
        return None
    of, like = f"of {count:,} test samples of task {task.name}", "look or sound almost like one"
    if equal:
        also = f", and {alike:,} more {like}" if alike else ""
        what = f"{equal:,} {of} are training samples too{also}."
    else:
        what = f"{alike:,} {of} may be training samples too: they {like}."
    return f"{what} On new data the accuracy may be lower."


def overlap_warnings(tasks: Iterable[TaskData]) -> list[str]:
    """:func:`describe_overlap` of each task that has something to say."""
    found = (describe_overlap(task, find_overlap(task)) for task in tasks)
    return [text for text in found if text is not None]


def _count_alike(test: Images, train: Images) -> int:
    if not len(train):
        return 0
    coarse = _unit(_scaled(train, COARSE).mean(axis=-1)).T
    count = 0
    for start in range(0, len(test), BLOCK):
        block = test[start : start + BLOCK]
        likeness = _unit(_scaled(block, COARSE).mean(axis=-1)) @ coarse
        nearest = train[likeness.argmax(axis=1)]
        pairs = _unit(_scaled(block, FINE)) * _unit(_scaled(nearest, FINE))
        count += int((pairs.sum(axis=1) >= ALIKE).sum())
    return count


def alike_within(images: Images, asked: Labels) -> Labels:
    """For each sample asked about, another one that is alike.

    Args:
        images: the set.
        asked: numbers of the samples to find another one for.

    Returns:
        Numbers of samples of ``images``; -1 where the nearest other one is not alike.
    """
    found = np.full(len(asked), -1, np.int64)
    coarse = _unit(_scaled(images, COARSE).mean(axis=-1)).T
    for start in range(0, len(asked), BLOCK):
        block = asked[start : start + BLOCK]
        likeness = coarse[:, block].T @ coarse
        likeness[np.arange(len(block)), block] = -np.inf
        nearest = likeness.argmax(axis=1)
        pairs = _unit(_scaled(images[block], FINE)) * _unit(_scaled(images[nearest], FINE))
        alike = pairs.sum(axis=1) >= ALIKE
        found[start : start + len(block)] = np.where(alike, nearest, -1)
    return found


def _scaled(images: Images, side: int) -> Vectors:
    """Means of side x side cells, (n, side, side, channels)."""
    count, height, width, channels = images.shape
    if height % side == width % side == 0:
        cells = images.reshape(count, side, height // side, side, width // side, channels)
        return np.asarray(cells.mean(axis=(2, 4), dtype=np.float32))
    down, right = _shares(height, side), _shares(width, side)
    scaled = np.empty((count, side, side, channels), np.float32)
    for start in range(0, count, BLOCK):
        part = images[start : start + BLOCK].astype(np.float32)
        scaled[start : start + BLOCK] = np.einsum(
            "ih,jw,nhwc->nijc", down, right, part, optimize=True
        )
    return scaled


def _shares(length: int, side: int) -> Vectors:
    """How much of each cell a pixel fills, (side, length): cells may end within pixels."""
    edges = np.arange(side + 1) * length / side
    pixels = np.arange(length)
    ends = np.minimum(edges[1:, None], pixels + 1)
    filled = np.clip(ends - np.maximum(edges[:-1, None], pixels), 0, None)
    return np.asarray(filled * side / length, np.float32)


def _unit(pictures: Vectors) -> Vectors:
    """Each picture as a vector of mean 0 and length 1; a picture of one colour as zeros."""
    vectors = pictures.reshape(len(pictures), -1)
    vectors = vectors - vectors.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 1e-3)
    return np.asarray(unit, dtype=np.float32)
