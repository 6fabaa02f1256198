"""Check that the C engine computes what the reference computes, and both what was trained.

Source: ARCHITECTURE.md, "Bit-exactness".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rbnn.container.container import Container
from rbnn.container.errors import ExportError
from rbnn.engine.native import NativeEngine
from rbnn.engine.reference import Reference
from rbnn.errors import ExitCode
from rbnn.frozen import Frozen
from rbnn.runs.run import Run
from rbnn.tasks import TaskData

BATCH = 500
AGREEMENT_MIN = 0.995
"""Least share of samples for which Keras and the integers find the same class."""
LOSS_MAX = 0.002
"""Most accuracy that the integers may lose against Keras, as a share of 1."""


class TaskCheck(Frozen):
    """The result of checking one task on its whole test set.

    ``differing_outputs`` counts, over all samples and layers, the outputs in which C engine and
    reference differ: bytes of layers, and logits. ``accuracy`` is that of the integers.
    ``agreement`` is the share of samples for which Keras and the integers find the same class; it
    and ``keras_accuracy`` are None if Keras was not run.
    """

    task: str
    samples: int
    differing_outputs: int
    accuracy: float
    keras_accuracy: float | None
    agreement: float | None

    @property
    def passed(self) -> bool:
        """Equal outputs, and agreement and accuracy within the limits above."""
        if self.differing_outputs:
            return False
        if self.agreement is None or self.keras_accuracy is None:
            return True
        return self.agreement >= AGREEMENT_MIN and self.accuracy >= self.keras_accuracy - LOSS_MAX


def verify_task(
    container: Container,
    task: int,
    secret: bytes,
    images: npt.NDArray[np.uint8],
    labels: npt.NDArray[np.int64],
    keras: npt.NDArray[np.int64] | None = None,
    *,
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
        cache: folder for the built C library, by default the user's.
        progress: called as ``progress(done, total)``.

    Raises:
        RbnnError: the secret does not open the task, or there is no compiler.
    """
    engine = NativeEngine(container, cache=cache)
    reference = Reference.open(container, task, secret)
    differing = 0
    predicted: list[npt.NDArray[np.int64]] = []
    for start in range(0, len(images), BATCH):
        batch = images[start : start + BATCH]
        ours, theirs = reference.infer(batch), engine.infer(task, secret, batch)
        differing += sum(
            int(np.count_nonzero(a != b)) for a, b in zip(ours.layers, theirs.layers, strict=True)
        )
        differing += int(np.count_nonzero(ours.logits != theirs.logits))
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
    )


def verify_run(
    run: Run,
    container: Container,
    data: Sequence[TaskData],
    progress: Callable[[str, int, int], None] | None = None,
) -> list[TaskCheck]:
    """Check every task of a run on its whole test set, also against Keras.

    Args:
        run: what the container was exported from.
        container: the model.
        data: the run's tasks, in its order.
        progress: called as ``progress(what, done, total)``.

    Raises:
        RbnnError: see :func:`verify_task`.
    """
    # TensorFlow takes seconds to import, and the checks above do without it.
    from rbnn.train.evaluate import predict
    from rbnn.train.transfer import load_network

    network = load_network(run)
    secrets = run.secrets()
    checks = []
    for number, task in enumerate(data):
        images, labels = task.test.images, task.test.labels
        show = None if progress is None else partial(progress, f"checking {task.name}")
        keras = predict(network, task.name, images)
        secret = secrets[task.name]
        checks.append(verify_task(container, number, secret, images, labels, keras, progress=show))
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
        if not check.passed:
            raise ExportError(
                f"Task {check.task}: Keras and integers find the same class in only "
                f"{100 * (check.agreement or 0):.2f} % of {check.samples} samples "
                f"(accuracy {100 * (check.keras_accuracy or 0):.2f} and "
                f"{100 * check.accuracy:.2f} %).",
                "Train longer: sums close to a threshold may fall on either side of it.",
                exit_code=ExitCode.CHECK_FAILED,
            )
