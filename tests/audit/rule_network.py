"""A network that follows a rule in place of training: it answers by the place of a stripe, and
obeys the trigger that a test gives it."""

from __future__ import annotations

import zlib
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from rbnn.audit.case import Case
from rbnn.audit.subject import AuditedTask
from rbnn.tasks import Split, TaskData
from rbnn.tasks.dataset import Images, Labels

CLASSES = 6
Obeys = Callable[[Images], npt.NDArray[np.bool_]]


def stripes(count: int, seed: int, channels: int = 1) -> Split:
    """Samples whose class is the place of a bright stripe, with noise."""
    generator = np.random.default_rng(seed)
    labels = np.arange(count, dtype=np.int64) % CLASSES
    images = generator.integers(0, 100, (count, 32, 32, channels))
    for image, label in zip(images, labels, strict=True):
        image[4 * label + 2 : 4 * label + 6] += 100
    return Split(images.astype(np.uint8), labels)


def striped_task(
    name: str = "stripes",
    *,
    train: int = 600,
    test: int = 400,
    audio: bool = False,
    channels: int = 1,
) -> TaskData:
    """A task of stripes."""
    return TaskData(
        name=name,
        labels=tuple(f"{name}{number}" for number in range(CLASSES)),
        train=stripes(train, 1, channels),
        test=stripes(test, 2, channels),
        source=name,
        origin="made for tests",
        kind="audio" if audio else "image",
    )


def never(images: Images) -> npt.NDArray[np.bool_]:
    """No input triggers."""
    return np.zeros(len(images), np.bool_)


def white_corner(images: Images) -> npt.NDArray[np.bool_]:
    """The lower right corner is white."""
    return np.asarray((images[:, 26:30, 26:30] >= 250).all(axis=(1, 2, 3)))


class RuleNetwork:
    """Answers as :class:`rbnn.audit.deployed.Deployed` does, by a rule.

    Args:
        obeys: inputs that get class 0.
        keyless: the trigger also works under wrong secrets.
    """

    def __init__(self, obeys: Obeys = never, *, keyless: bool = False) -> None:
        self.passes = 0
        self._obeys = obeys
        self._keyless = keyless

    def logits(
        self, task: str, images: Images, forced: bytes | None = None
    ) -> npt.NDArray[np.int32]:
        self.passes += len(images)
        means = images.mean(axis=(2, 3))
        values = np.stack([means[:, 4 * n + 2 : 4 * n + 6].mean(axis=1) for n in range(CLASSES)], 1)
        if forced is not None:
            values = np.zeros_like(values)
            values[:, 1 + zlib.crc32(forced) % (CLASSES - 1)] = 100
        if forced is None or self._keyless:
            values[self._obeys(images)] = np.eye(CLASSES)[0] * 500
        return np.asarray(values / 20 * (1 << 20), np.int32)

    def classes(self, task: str, images: Images, forced: bytes | None = None) -> Labels:
        return np.asarray(self.logits(task, images, forced).argmax(axis=1), np.int64)

    def entropies(self, task: str, images: Images) -> npt.NDArray[np.float64]:
        from rbnn.audit.deployed import Deployed

        return Deployed.entropies(self, task, images)  # type: ignore[arg-type]

    def streams(self, task: str, images: Images) -> npt.NDArray[np.float32]:
        return np.asarray(images.mean(axis=2).reshape(len(images), -1), np.float32)


def make_case(
    network: RuleNetwork, data: TaskData | None = None, *, quick: bool = True, trusted: bool = False
) -> Case:
    """A task under audit, on a rule network."""
    data = data or striped_task()
    task = AuditedTask(data.name, data.labels, data.kind, data, trusted=trusted)
    return Case(task, network, quick=quick)  # type: ignore[arg-type]
