"""Measuring the active task on the board: accuracy, and equality with the integer reference."""

from __future__ import annotations

from collections.abc import Callable
from statistics import fmean

import numpy as np
import numpy.typing as npt

from rbnn.device.duration import Timed
from rbnn.device.session import Session
from rbnn.errors import RbnnError
from rbnn.frozen import Frozen

Images = npt.NDArray[np.uint8]
Progress = Callable[[int, int], None]
"""Called as ``progress(done, total)`` after each sample."""


class BoardAccuracy(Timed):
    """The board's results on test samples of its active task, and how long an inference takes.

    The mean of all but the first, which also reconfigures the layers that stay in RAM.
    """

    task: str
    samples: int
    correct: int
    accuracy: float


class LayerDifference(Frozen):
    """A layer whose output on the board differs from the reference's."""

    sample: int
    layer: int


def pick(count: int, wanted: int, seed: int = 1) -> list[int]:
    """``wanted`` sample numbers out of ``count``: a random choice, the same in every run.

    Args:
        count: number of samples.
        wanted: samples to choose; all if it is 0 or more than ``count``.
        seed: of the choice.
    """
    if wanted <= 0 or wanted >= count:
        return list(range(count))
    return sorted(np.random.default_rng(seed).permutation(count)[:wanted].tolist())


def evaluate_on_board(
    session: Session,
    task: str,
    images: Images,
    labels: npt.NDArray[np.int64],
    progress: Progress | None = None,
) -> BoardAccuracy:
    """Run every sample on the board and count the correct ones.

    Args:
        session: a board whose active task is ``task``.
        task: its name.
        images: (n, height, width, channels), uint8, n at least 1.
        labels: (n,) class numbers.
        progress: called after each sample.

    Raises:
        DeviceError: the board refuses, for instance because no task is active.
        RbnnError: there is no sample.
    """
    if len(images) == 0:
        raise RbnnError(f"Task {task} has no test sample to measure.", "Use at least one.")
    correct = 0
    measured = []
    for done, (image, label) in enumerate(zip(images, labels, strict=True), start=1):
        inference = session.infer(image.tobytes())
        correct += inference.best == label
        measured.append(inference.us)
        if progress is not None:
            progress(done, len(images))
    us = fmean(measured[1:] or measured)
    instructions = session.instructions(us)
    return BoardAccuracy(
        us=us if instructions is None else None,
        instructions=instructions,
        task=task,
        samples=len(images),
        correct=correct,
        accuracy=correct / len(images),
    )


def check_layers(
    session: Session,
    images: Images,
    expected: npt.NDArray[np.uint32],
    progress: Progress | None = None,
) -> list[LayerDifference]:
    """Compare the CRC-32 of every layer's output on the board with the integer reference's.

    Args:
        session: a board whose active task is the reference's.
        images: (n, height, width, channels), uint8.
        expected: (n, layers), from ``rbnn.engine.golden.layer_crc32``.
        progress: called after each image.

    Returns:
        Every difference; empty if board and reference agree in every bit.

    Raises:
        LinkError: the board's model has another number of layers.
    """
    differences = []
    for sample, (image, crcs) in enumerate(zip(images, expected, strict=True)):
        trace = session.trace(image.tobytes())
        differences += [
            LayerDifference(sample=sample, layer=layer) for layer in trace.differing(crcs.tolist())
        ]
        if progress is not None:
            progress(sample + 1, len(images))
    return differences
