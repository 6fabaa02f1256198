"""What was measured of one trained network: ``measured.json`` in its run folder.

It is all that a report reads of a run, so that a report needs neither data nor TensorFlow.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from rbnn.container.sizes import Sizes
from rbnn.errors import RbnnError
from rbnn.files import write_atomic
from rbnn.train.evaluate import Chance, WrongSecrets

FILE = "measured.json"


class CurvePoint(BaseModel):
    """One task at the end of an epoch; accuracies are shares of 1, the loss is in nats."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    steps: int
    loss: float
    train_accuracy: float
    test_accuracy: float


class Integers(BaseModel):
    """The device's integers on the whole test set, as shares of 1.

    ``agreement``: how many samples get the class that Keras finds.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    accuracy: float
    agreement: float


class MeasuredTask(BaseModel):
    """One task of a network on its test set, after the last step.

    ``confusion`` counts samples: a row is a true class, a column the class that was found.
    ``integers`` and ``wrong_secrets`` are of the network that a device would run, and of no other.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    labels: tuple[str, ...]
    samples: int
    accuracy: float
    chance: Chance
    confusion: tuple[tuple[int, ...], ...]
    curve: tuple[CurvePoint, ...]
    integers: Integers | None = None
    wrong_secrets: WrongSecrets | None = None


class Measured(BaseModel):
    """One trained network; ``seconds`` are those of its training, ``bits`` its shared weights.

    ``sizes`` are those of the container that it would be exported to, where devices know it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    steps: int
    seconds: float
    bits: int
    tasks: tuple[MeasuredTask, ...]
    sizes: Sizes | None = None

    def task(self, name: str) -> MeasuredTask:
        """The task called ``name``."""
        return next(task for task in self.tasks if task.name == name)


def read_measured(folder: Path) -> Measured | None:
    """What was measured of the run in ``folder``; None where it is not finished.

    Raises:
        RbnnError: the file is damaged.
    """
    path = folder / FILE
    try:
        return Measured.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        raise RbnnError(
            f"Cannot read {path}: it is damaged or of another version.",
            "Delete it; the network is then measured again, not trained.",
        ) from error


def write_measured(folder: Path, measured: Measured) -> None:
    """Write the file of the run in ``folder``."""
    write_atomic(folder / FILE, measured.model_dump_json(indent=1) + "\n")
