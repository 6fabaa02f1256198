"""Classes that the exported integers predict: with the numpy reference or with the C engine."""

from __future__ import annotations

import functools
from typing import Literal

import numpy as np
import numpy.typing as npt

from rbnn.container.container import Container
from rbnn.engine.reference import Reference
from rbnn.engine.wide import WideEngine
from rbnn.errors import RbnnError
from rbnn.export.export import NO_PROVIDER, Export, make_container, require_device_scheme
from rbnn.runs.parameters import ModelParameters
from rbnn.runs.run import Run
from rbnn.train.evaluate import Predictor

Engine = Literal["reference", "c"]


def current_container(run: Run) -> Container:
    """What a run's export folder holds or, if that is missing or older than the run, what it would
    hold after another export; nothing is written.

    Raises:
        RbnnError: the run is incomplete, or its network does not fit the format.
    """
    try:
        export = Export.read(run.export_folder)
        if export.is_current(run, bytes.fromhex(export.manifest.provider_public)):
            return export.container
    except RbnnError:
        pass
    config = run.config()
    require_device_scheme(config)
    parameters = ModelParameters.load(run.parameters_file)
    return make_container(config, parameters, run.secrets(), NO_PROVIDER)


def integer_predictor(run: Run, engine: Engine) -> Predictor:
    """A predictor that computes with the integers of a run's export.

    Args:
        run: trained for an epoch or more, scheme ``xor``.
        engine: ``reference`` or ``c``. Forced secrets go through C in either case: the two are
            equal bit for bit, and the reference would take hours.

    Raises:
        RbnnError: see :func:`current_container`; when used, there is no C compiler.
    """
    container = current_container(run)
    secrets = run.secrets()

    @functools.cache
    def wide() -> WideEngine:
        return WideEngine(container)

    def classes(
        task: str, images: npt.NDArray[np.uint8], forced: bytes | None = None
    ) -> npt.NDArray[np.int64]:
        number = container.task_number(task)
        if engine == "c" or forced is not None:
            logits = wide().logits(number, secrets[task], images, forced=forced)
        else:
            logits = Reference.open(container, number, secrets[task]).infer(images).logits
        return np.asarray(logits.argmax(axis=1), np.int64)

    return classes
