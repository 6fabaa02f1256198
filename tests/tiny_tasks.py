"""Synthetic tasks, and the fixed secrets that tests train them with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from rbnn.tasks import Split, TaskData

SECRETS = {"colour": b"\1" * 32, "sound": b"\2" * 32}
MODEL = b"\3" * 16


@contextmanager
def eagerly() -> Iterator[None]:
    """Run without graphs: few steps take less time than tracing a graph for them."""
    from rbnn.nets.framework import tf

    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(False)


def make_task(name: str, channels: int, classes: int, count: int, audio: bool) -> TaskData:
    """Stripes whose place tells the class, with noise."""
    generator = np.random.default_rng(len(name))

    def split(size: int) -> Split:
        labels = np.arange(size, dtype=np.int64) % classes
        images = generator.integers(0, 120, (size, 32, 32, channels))
        for image, label in zip(images, labels, strict=True):
            image[6 * label + 2 : 6 * label + 6] += 120
        return Split(images.astype(np.uint8), labels)

    return TaskData(
        name=name,
        labels=tuple(f"{name}{number}" for number in range(classes)),
        train=split(count),
        test=split(40),
        source=name,
        origin="made for tests",
        kind="audio" if audio else "image",
    )
