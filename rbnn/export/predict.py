"""Classes as the integers find them: by the numpy reference or by the C engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
import numpy.typing as npt

from rbnn.export.errors import ExportError
from rbnn.export.export import Export
from rbnn.export.native import NativeEngine
from rbnn.export.reference import Reference
from rbnn.train.run import Run

Engine = Literal["reference", "c"]
BATCH = 500


def integer_predictor(
    run: Run, engine: Engine
) -> Callable[[str, npt.NDArray[np.uint8]], npt.NDArray[np.int64]]:
    """What classifies images with a run's export.

    Args:
        run: exported since its last epoch.
        engine: ``reference`` or ``c``.

    Returns:
        From a task's name and its images, (n, height, width, c) uint8, to class numbers, (n,).

    Raises:
        RbnnError: there is no export, it is stale, or there is no C compiler.
    """
    export = Export.read(run.export_folder)
    if not export.is_current(run, bytes.fromhex(export.manifest.provider_public)):
        raise ExportError(
            f"{export.folder} is older than the run.", f"Export again: rbnn export {run.folder}"
        )
    container = export.container
    secrets = run.secrets()
    native = NativeEngine(container) if engine == "c" else None

    def logits(task: str, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.int32]:
        number = container.task_number(task)
        if native is not None:
            return native.logits(number, secrets[task], images)
        return Reference.open(container, number, secrets[task]).infer(images).logits

    def predict(task: str, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
        parts = [logits(task, images[at : at + BATCH]) for at in range(0, len(images), BATCH)]
        return np.asarray(np.concatenate(parts).argmax(axis=1), np.int64)

    return predict
