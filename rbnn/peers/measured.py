"""What was measured of one network, or of the shared set: ``measured.json`` in its folder.

The table reads nothing else, so that it needs neither data nor TensorFlow.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import Field

from rbnn.frozen import Frozen, read_document, write_document

FILE = "measured.json"


class TaskHits(Frozen):
    """One task on its test set: which of its ``samples`` were right, a bit for each, as hex."""

    name: str
    samples: int
    hits: str

    @property
    def right(self) -> npt.NDArray[np.bool_]:
        """(samples,) whether each sample's class was found."""
        packed = np.frombuffer(bytes.fromhex(self.hits), np.uint8)
        return np.unpackbits(packed, count=self.samples).astype(np.bool_)

    @property
    def accuracy(self) -> float:
        """Share of the samples that were right."""
        return float(self.right.mean())


class MeasuredNetwork(Frozen):
    """One network.

    ``flash``, ``ram`` and ``file`` (of a TensorFlow Lite file) are bytes, ``instructions`` those of
    one inference. ``rates`` is the validation accuracy by learning rate, of which ``rate`` is the
    best; empty where none was to be chosen. ``agreement`` is the share of training samples for
    which the float network finds the same class.
    """

    shape: str
    scale: float | None = None
    tasks: tuple[TaskHits, ...]
    flash: int
    ram: int
    file: int | None = None
    macs: int
    instructions: int
    steps: int
    seconds: float
    rate: float | None = None
    rates: dict[str, float] = Field(default_factory=dict)
    agreement: float | None = None


def hits(name: str, found: npt.NDArray[Any], truth: npt.NDArray[Any]) -> TaskHits:
    """Which classes were found; both arrays are (n,) class numbers."""
    packed = np.packbits(found == truth)
    return TaskHits(name=name, samples=len(truth), hits=packed.tobytes().hex())


def read_measured(folder: Path) -> MeasuredNetwork | None:
    """What was measured of the network in ``folder``; None if it is not finished.

    Raises:
        RbnnError: the file is damaged.
    """
    fix = "Delete it: the network is then trained again."
    return read_document(MeasuredNetwork, folder / FILE, fix)


def write_measured(folder: Path, measured: MeasuredNetwork) -> None:
    """Write the file of the network in ``folder``."""
    write_document(measured, folder / FILE)
