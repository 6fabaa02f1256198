"""What was measured of one trained network: ``measured.json`` in its run folder.

A report reads nothing else of a run, so that it needs neither data nor TensorFlow.
"""

from __future__ import annotations

from pathlib import Path

from rbnn.container.sizes import Sizes
from rbnn.frozen import Frozen, read_document, write_document
from rbnn.train.evaluate import Chance, WrongSecrets

FILE = "measured.json"


class CurvePoint(Frozen):
    """One task at the end of an epoch; accuracies are shares of 1, the loss is in nats."""

    steps: int
    loss: float
    train_accuracy: float
    test_accuracy: float


class Integers(Frozen):
    """The device's integers on the whole test set, as shares of 1.

    ``agreement``: the share of samples for which they find the same class as Keras.
    """

    accuracy: float
    agreement: float


class MeasuredTask(Frozen):
    """One task of a network on its test set, after the last step.

    ``confusion`` counts samples: a row is a true class, a column a predicted class.
    ``integers`` and ``wrong_secrets`` exist only for the network that a device would run.
    """

    name: str
    labels: tuple[str, ...]
    samples: int
    accuracy: float
    chance: Chance
    confusion: tuple[tuple[int, ...], ...]
    curve: tuple[CurvePoint, ...]
    integers: Integers | None = None
    wrong_secrets: WrongSecrets | None = None


class NetworkMeasurement(Frozen):
    """One trained network; ``seconds`` are those of its training, ``bits`` its shared weights.

    ``sizes`` are those of the container that it would be exported to, if devices support it.
    """

    steps: int
    seconds: float
    bits: int
    tasks: tuple[MeasuredTask, ...]
    sizes: Sizes | None = None

    def task(self, name: str) -> MeasuredTask:
        """The task called ``name``."""
        return next(task for task in self.tasks if task.name == name)


def read_measured(folder: Path) -> NetworkMeasurement | None:
    """What was measured of the run in ``folder``; None if it is not finished.

    Raises:
        RbnnError: the file is damaged.
    """
    fix = "Delete it: the network is then measured again, but not trained again."
    return read_document(NetworkMeasurement, folder / FILE, fix)


def write_measured(folder: Path, measured: NetworkMeasurement) -> None:
    """Write the file of the run in ``folder``."""
    write_document(measured, folder / FILE)
