"""Check that the C engine computes what the reference computes, and both what was trained.

On whole test sets, or on a sample, which :mod:`rbnn.export.checks` takes for ``rbnn flash``.

Source: ARCHITECTURE.md, "Bit-exactness".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rbnn.container.container import Container
from rbnn.container.errors import ExportError
from rbnn.engine.native import NativeEngine
from rbnn.engine.outputs import Outputs
from rbnn.engine.reference import Reference
from rbnn.errors import ExitCode
from rbnn.export.saturation import Counts, Saturation, count, limited_layers, summarise
from rbnn.frozen import Frozen
from rbnn.runs.run import Run
from rbnn.tasks import TaskData

BATCH = 500
AGREEMENT_MIN = 0.995
"""Least share of samples for which Keras and the integers find the same class."""
LOSS_MAX = 0.002
"""Most accuracy that the integers may lose against Keras, as a share of 1."""


TIED_MAX = 0.005
"""Largest share of samples whose class only the order of saturated logits decides."""
RARE = 0.001
"""How often a sample may fail although the whole test set would pass."""


class TaskCheck(Frozen):
    """The result of checking one task on its whole test set, or on a sample of it.

    ``differing_outputs`` counts, over all samples and layers, the outputs in which C engine and
    reference differ: bytes of layers, and logits. ``accuracy`` is that of the integers.
    ``agreement`` is the share of samples for which Keras and the integers find the same class; it
    and ``keras_accuracy`` are None if Keras was not run. ``saturation`` is None if it was not
    measured.
    """

    task: str
    samples: int
    differing_outputs: int
    accuracy: float
    keras_accuracy: float | None
    agreement: float | None
    whole: bool = True
    saturation: Saturation | None = None

    @property
    def passed(self) -> bool:
        """Equal outputs, and agreement, accuracy and ties within the limits above."""
        return not self.differing_outputs and not self.is_tied and self.agrees

    @property
    def is_tied(self) -> bool:
        """Whether saturated logits decide too many samples."""
        return self.saturation is not None and self.saturation.tied > TIED_MAX

    @property
    def agrees(self) -> bool:
        """Whether Keras and the integers find the same classes.

        A sample may disagree as often as chance explains if the whole test set agrees.
        """
        if self.agreement is None or self.keras_accuracy is None:
            return True
        if self.whole:
            least = self.keras_accuracy - LOSS_MAX
            return self.agreement >= AGREEMENT_MIN and self.accuracy >= least
        differing = round((1 - self.agreement) * self.samples)
        return differing <= most_differing(self.samples)


def most_differing(samples: int) -> int:
    """The most of ``samples`` that differ, except in :data:`RARE` cases, if
    :data:`AGREEMENT_MIN` of the whole test set agree.
    """
    share = 1 - AGREEMENT_MIN
    chance = 1.0
    for most in range(samples + 1):
        chance -= math.comb(samples, most) * share**most * (1 - share) ** (samples - most)
        if chance <= RARE:
            return most
    return samples


def verify_task(
    container: Container,
    task: int,
    secret: bytes,
    images: npt.NDArray[np.uint8],
    labels: npt.NDArray[np.int64],
    keras: npt.NDArray[np.int64] | None = None,
    *,
    compared: int | None = None,
    cache: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> TaskCheck:
    """Compare C engine, reference and, if its predictions are given, Keras on a test set.

    Args:
        container: the model.
        task: task number.
        secret: task secret S_t, 32 bytes.
        images: (n, height, width, task's channels), uint8; at least one.
        labels: (n,), int64.
        keras: class numbers that Keras predicts, (n,), int64.
        compared: how many of the images the reference, which is slow, computes too; None for all.
        cache: folder for the built C library, by default the user's.
        progress: called as ``progress(done, total)``.

    Raises:
        RbnnError: the secret does not open the task, or there is no compiler.
    """
    engine = NativeEngine(container, cache=cache)
    reference = Reference.open(container, task, secret)
    differing = 0
    counts = Counts()
    predicted: list[npt.NDArray[np.int64]] = []
    for start in range(0, len(images), BATCH):
        batch = images[start : start + BATCH]
        theirs = engine.infer(task, secret, batch)
        both = len(batch) if compared is None else min(max(compared - start, 0), len(batch))
        if both:
            differing += _count_differing(reference.infer(batch[:both]), theirs)
        counts += count(container, theirs)
        predicted.append(theirs.logits.argmax(axis=1).astype(np.int64))
        if progress is not None:
            progress(min(start + BATCH, len(images)), len(images))
    best = np.concatenate(predicted)
    return TaskCheck(
        task=container.tasks[task].name,
        samples=len(images),
        differing_outputs=differing,
        accuracy=float(np.mean(best == labels)),
        keras_accuracy=None if keras is None else float(np.mean(keras == labels)),
        agreement=None if keras is None else float(np.mean(keras == best)),
        saturation=summarise(counts, limited_layers(container, task, secret)),
    )


def _count_differing(ours: Outputs, theirs: Outputs) -> int:
    """Differing bytes and logits; ``theirs`` may have more samples."""
    samples = len(ours.logits)
    layers = zip(ours.layers, theirs.layers, strict=True)
    differing = sum(int(np.count_nonzero(a != b[:samples])) for a, b in layers)
    return differing + int(np.count_nonzero(ours.logits != theirs.logits[:samples]))


def verify_run(
    run: Run,
    container: Container,
    data: Sequence[TaskData],
    progress: Callable[[str, int, int], None] | None = None,
    *,
    samples: int | None = None,
    compared: int | None = None,
) -> list[TaskCheck]:
    """Check every task of a run on its test set, also against Keras.

    Args:
        run: what the container was exported from.
        container: the model.
        data: the run's tasks, in its order.
        progress: called as ``progress(what, done, total)``.
        samples: evenly spaced test samples of each task; None for all of them.
        compared: see :func:`verify_task`.

    Raises:
        RbnnError: see :func:`verify_task`.
    """
    # TensorFlow takes seconds to import, and the checks above do without it.
    from rbnn.train.evaluate import predict, some
    from rbnn.train.transfer import load_network

    network = load_network(run)
    secrets = run.secrets()
    checks = []
    for number, task in enumerate(data):
        chosen = task.test if samples is None else some(task.test, samples)
        images, labels = chosen.images, chosen.labels
        show = None if progress is None else partial(progress, f"checking {task.name}")
        keras = predict(network, task.name, images)
        secret = secrets[task.name]
        check = verify_task(
            container, number, secret, images, labels, keras, compared=compared, progress=show
        )
        checks.append(check.model_copy(update={"whole": len(chosen) == len(task.test)}))
    return checks


def require_passed(checks: Sequence[TaskCheck]) -> None:
    """Refuse an export that does not compute what was trained.

    Raises:
        ExportError: names the tasks and their figures.
    """
    for check in checks:
        if check.differing_outputs:
            raise ExportError(
                f"Task {check.task}: C engine and integer reference differ in "
                f"{check.differing_outputs} output bytes over {check.samples} samples.",
                "This is a bug in rbnn: report it with the run folder, without its secrets.",
                exit_code=ExitCode.CHECK_FAILED,
            )
        if check.is_tied and check.saturation is not None:
            raise ExportError(
                f"Task {check.task}: the device cannot tell its classes apart, because numbers "
                f"saturate: {check.saturation.text()}.",
                "Train longer or with a smaller --learning-rate: the variance of a sum is nearly "
                "zero, so that its scale became too large.",
                exit_code=ExitCode.CHECK_FAILED,
            )
        if not check.passed:
            raise ExportError(
                f"Task {check.task}: Keras and integers find the same class in only "
                f"{100 * (check.agreement or 0):.2f} % of {check.samples} samples "
                f"(accuracy {100 * (check.keras_accuracy or 0):.2f} and "
                f"{100 * check.accuracy:.2f} %).",
                "Train longer: sums close to a threshold may fall on either side of it.",
                exit_code=ExitCode.CHECK_FAILED,
            )


def warnings(checks: Sequence[TaskCheck]) -> list[str]:
    """What saturates, a line for each task that it concerns."""
    return [
        f"Task {check.task}: numbers saturate on the device: {check.saturation.text()}."
        for check in checks
        if check.saturation is not None and check.saturation.anything
    ]
