"""A task's data as all later rooms use it: 32x32 images of bytes, and class numbers."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt

from rbnn.spec.layout import MAX_CLASSES, FrontEnd
from rbnn.tasks.errors import TaskError, raise_all

SIDE = 32
"""Height and width of every sample, in pixels (of a log-mel image: bands and frames)."""
Kind = Literal["image", "audio"]
Images = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int64]
UNPRINTABLE_IN_LABELS = frozenset(",[]%")
"""Delimiters of the serial grammar (``rbnn.spec.link``), between which a class name is printed."""


@dataclass(frozen=True)
class Split:
    """Samples and their classes.

    Args:
        images: (n, 32, 32, c), uint8; c is 1 (grey, audio) or 3 (colour).
        labels: (n,), int64 class numbers.
    """

    images: Images
    labels: Labels

    def __post_init__(self) -> None:
        shape = self.images.shape
        if (
            self.images.dtype != np.uint8
            or len(shape) != 4
            or shape[1:3] != (SIDE, SIDE)
            or shape[3] not in (1, 3)
        ):
            raise ValueError(
                f"Images are uint8 of shape (n, {SIDE}, {SIDE}, 1 or 3). "
                f"Received: {self.images.dtype} {shape}"
            )
        if self.labels.dtype != np.int64 or self.labels.shape != shape[:1]:
            raise ValueError(
                f"Labels are int64 of shape ({shape[0]},). "
                f"Received: {self.labels.dtype} {self.labels.shape}"
            )

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def channels(self) -> int:
        """Channels of each image."""
        return int(self.images.shape[3])


@dataclass(frozen=True)
class TaskData:
    """One task, decoded.

    Args:
        name: the task's name.
        labels: class names; their position is the class number.
        train: samples to train on.
        test: samples to measure on.
        source: the spec with which :func:`rbnn.tasks.load` finds the same data again.
        origin: for people to read: which files or which generator.
        kind: what the samples were made from.
    """

    name: str
    labels: tuple[str, ...]
    train: Split
    test: Split
    source: str
    origin: str
    kind: Kind

    def __post_init__(self) -> None:
        if len(self.labels) < 2:
            raise TaskError(
                f"Task {self.name} has {len(self.labels)} class; a classifier needs two.",
                "Put each class in its own folder.",
            )
        if len(self.labels) > MAX_CLASSES:
            raise TaskError(
                f"Task {self.name} has {len(self.labels)} classes; the limit is {MAX_CLASSES}.",
                "Merge classes, or split the task in two.",
            )
        faults = [
            TaskError(
                f"Task {self.name} has a class named {label!r}.",
                "Rename its folders: use printable UTF-8 characters except , [ ] and %.",
            )
            for label in self.labels
            if not label.isprintable() or not label or UNPRINTABLE_IN_LABELS & set(label)
        ]
        raise_all(faults, f"Task {self.name}")
        if self.train.channels != self.test.channels:
            raise ValueError("Train and test have the same number of channels.")

    @property
    def front_end(self) -> FrontEnd:
        """What made its inputs, and makes them on a device."""
        return FrontEnd.LOG_MEL if self.kind == "audio" else FrontEnd.NONE

    @property
    def channels(self) -> int:
        """Channels of the task's own input."""
        return self.train.channels

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over class names, front end, images and labels, as hex."""
        digest = hashlib.sha256("\0".join(self.labels).encode())
        if self.front_end:
            digest.update(f"front end {self.front_end}".encode())
        for split in (self.train, self.test):
            digest.update(repr(split.images.shape).encode())
            digest.update(np.ascontiguousarray(split.images).data)
            digest.update(split.labels.astype("<i8").data)
        return digest.hexdigest()
