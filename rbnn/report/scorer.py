"""How the report of a run classifies samples: with Keras as trained, or the device's integers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from rbnn.container.container import Container
from rbnn.engine.compile import compiler
from rbnn.engine.wide import WideEngine
from rbnn.errors import RbnnError
from rbnn.report.figures import EngineName
from rbnn.runs.run import Run
from rbnn.spec.scores import PPM, softmax_ppm
from rbnn.tasks.dataset import Images
from rbnn.train.evaluate import Predictor, keras_predictor, predict_logits

EngineChoice = Literal["auto", "keras", "c"]
Probabilities = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Scorer:
    """One engine over one run.

    Args:
        engine: its name.
        classes: class numbers of images.
        probabilities: of a task's images, (n, classes), each row of sum 1.
    """

    engine: EngineName
    classes: Predictor
    probabilities: Callable[[str, Images], Probabilities]


def open_scorer(
    run: Run, choice: EngineChoice, container: Container | None, is_exported: bool
) -> Scorer:
    """Make a run ready to classify.

    Args:
        run: trained for an epoch or more.
        choice: ``auto`` takes C if the run has been exported and there is a compiler.
        container: the run's model; None if it cannot be exported.
        is_exported: whether the run folder holds that container.

    Raises:
        RbnnError: the run cannot be read, or C is chosen but not possible.
    """
    if choice == "auto":
        choice = "c" if container is not None and is_exported and _has_compiler() else "keras"
    if choice == "keras":
        return _keras(run)
    if container is None:
        raise RbnnError(
            f"{run.folder.name} cannot be exported, so the C engine cannot run it.",
            "Use --engine keras.",
        )
    return _integers(run, container)


def _has_compiler() -> bool:
    try:
        return bool(compiler())
    except RbnnError:
        return False


def _keras(run: Run) -> Scorer:
    # TensorFlow takes seconds to import, and integers do without it.
    from rbnn.train.transfer import load_network

    config = run.config()
    network = load_network(run)
    secrets = run.secrets() if run.secrets_file.exists() else {}

    def probabilities(task: str, images: Images) -> Probabilities:
        logits = predict_logits(network, task, images).astype(np.float64)
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))

    classes = keras_predictor(network, secrets, bytes.fromhex(config.model_id))
    return Scorer("keras", classes, probabilities)


def _integers(run: Run, container: Container) -> Scorer:
    engine = WideEngine(container)
    secrets = run.secrets()

    def logits(task: str, images: Images, forced: bytes | None = None) -> npt.NDArray[np.int32]:
        return engine.logits(container.task_number(task), secrets[task], images, forced=forced)

    def classes(task: str, images: Images, forced: bytes | None = None) -> npt.NDArray[np.int64]:
        return np.asarray(logits(task, images, forced).argmax(axis=1), np.int64)

    def probabilities(task: str, images: Images) -> Probabilities:
        rows = [softmax_ppm(row) for row in logits(task, images).tolist()]
        return np.asarray(rows, np.float64) / PPM

    return Scorer("c", classes, probabilities)
