"""A task's data as all later rooms use it: images of bytes, all of one shape, and class numbers."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from rbnn.spec.layout import MAX_CLASSES, MAX_INPUT_CHANNELS, FrontEnd
from rbnn.tasks.errors import TaskError, raise_all
from rbnn.tasks.form import USUAL, Sides

if TYPE_CHECKING:  # which needs the types of this module
    from rbnn.spec.series import Series

Kind = Literal["image", "audio", "series", "tensor"]
"""What samples were made from: pictures, sounds, sensor series, or tensors that were taken as they
are."""
Images = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int64]
UNPRINTABLE_IN_LABELS = frozenset(",[]%")
"""Delimiters of the serial grammar (``rbnn.spec.link``), between which a class name is printed."""


@dataclass(frozen=True)
class Split:
    """Samples and their classes.

    Args:
        images: (n, height, width, c), uint8; c is 1 (grey, audio), 3 (colour) or, of series and
            tensors, 1 to 4.
        labels: (n,), int64 class numbers.
    """

    images: Images
    labels: Labels

    def __post_init__(self) -> None:
        shape = self.images.shape
        if (
            self.images.dtype != np.uint8
            or len(shape) != 4
            or not min(shape[1:])
            or shape[3] > MAX_INPUT_CHANNELS
        ):
            raise ValueError(
                f"Images are uint8 of shape (n, height, width, 1 to {MAX_INPUT_CHANNELS}). "
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

    @property
    def sides(self) -> Sides:
        """Height and width of each image."""
        return int(self.images.shape[1]), int(self.images.shape[2])


@dataclass(frozen=True)
class TaskData:
    """One task, decoded.

    Args:
        name: the task's name.
        labels: class names; their position is the class number.
        train: samples to train on.
        test: samples to measure on.
        source: the spec with which :func:`rbnn.tasks.load.load` finds the same data again.
        origin: for people to read: which files or which generator.
        kind: what the samples were made from.
        series: of a sensor series, how its windows became samples.
    """

    name: str
    labels: tuple[str, ...]
    train: Split
    test: Split
    source: str
    origin: str
    kind: Kind
    series: Series | None = None

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
        if self.train.images.shape[1:] != self.test.images.shape[1:]:
            raise ValueError("Samples of train and test have the same shape.")

    @property
    def front_end(self) -> FrontEnd:
        """What made its inputs, and makes them on a device. A device has no front end for pictures
        of sounds that were scaled."""
        if self.series is not None:
            return FrontEnd.SERIES
        sound = self.kind == "audio" and self.sides == USUAL
        return FrontEnd.LOG_MEL if sound else FrontEnd.NONE

    @property
    def sides(self) -> Sides:
        """Height and width of its inputs."""
        return self.train.sides

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
        if self.series is not None:
            digest.update(repr(self.series).encode())
        for split in (self.train, self.test):
            digest.update(repr(split.images.shape).encode())
            digest.update(np.ascontiguousarray(split.images).data)
            digest.update(split.labels.astype("<i8").data)
        return digest.hexdigest()
