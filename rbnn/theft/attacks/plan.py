"""What an attack on keys computes, and its files: one JSON file per cell.

::

    theft/
        experiment.json                          AttackExperiment
        cells/cifar/10/seed-1-mask-bits.json     SearchResult of the gradient and genetic attacks
        cells/cifar/seed-1.json                  OracleResult
        work/                                    a training that was interrupted
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Literal

from rbnn.errors import RbnnError
from rbnn.frozen import Frozen, read_document, write_document
from rbnn.theft.attacks.attack import Attack
from rbnn.theft.plan import Experiment

KeyKind = Literal["stream", "sign", "short"]
"""The key stream of devices; the controls: one bit per pair of channels, 32 bits repeated."""


class Ground(StrEnum):
    """Under the thief's key bits."""

    BITS = "bits"
    """The stored bits P; the key is unknown."""
    RANDOM = "random"
    """Random bits in their place."""
    KNOWN = "known"
    """The control: P, and a part of the key is known."""


class AttackExperiment(Experiment):
    """``experiment.json``: the same for every cell.

    ``queries`` bounds the oracle's and the genetic attack. In the genetic attack's control all but
    ``unknown`` bits of the last layer are known (None: all but that layer), in the gradient
    attack's ``known`` percent of the key.
    """

    attack: Attack
    queries: int
    unknown: int | None
    known: float


class AttackCell(Frozen):
    """One search or training: ``share`` in percent of the victim's training data."""

    victim: str
    share: float
    seed: int
    ground: Ground

    def file(self, folder: Path) -> Path:
        """Path of its result in the experiment's ``folder``."""
        name = f"seed-{self.seed}-mask-{self.ground.value}.json"
        return folder / "cells" / self.victim / f"{self.share:g}" / name


class SearchResult(AttackCell):
    """The result of a cell.

    Accuracies are shares of 1 on the whole test set: ``first_accuracy`` of the fittest key of the
    first population, None of a training; ``chance`` is that of naming the largest class.
    ``unknown_bits`` of the key were unknown, ``right_bits`` of them are right in the end; both 0
    where there is no right key.
    """

    samples: int
    seconds: float
    first_accuracy: float | None
    test_accuracy: float
    chance: float
    unknown_bits: int
    right_bits: int

    def save(self, folder: Path) -> None:
        """Write it to the experiment's ``folder``."""
        write_document(self, self.file(folder))


class LayerPrediction(Frozen):
    """One layer's key bits, predicted; see :class:`rbnn.theft.attacks.predict.Prediction`."""

    key: KeyKind
    layer: int
    predictor: str
    tested: int
    hits: int
    usual: int
    p: float


class LayerCounts(Frozen):
    """How even one layer is: ones in the stored bits P, the victim's key and its weights (+1), and
    bits that the victim's key and the other task's have in common, of ``bits``, without padding."""

    layer: int
    bits: int
    stored: int
    key: int
    weights: int
    alike: int


class ClimbResult(Frozen):
    """See :class:`rbnn.theft.attacks.climb.Climb`."""

    layer: int
    bits: int
    queries: int
    alike: int
    start_own: int
    start_wanted: int
    own: int
    wanted: int


class OracleResult(Frozen):
    """One victim and seed; ``trunk`` layers have A's key and are left out."""

    victim: str
    other: str
    seed: int
    trunk: int
    layers: tuple[LayerPrediction, ...]
    counts: tuple[LayerCounts, ...]
    climb: ClimbResult

    def save(self, folder: Path) -> None:
        """Write it to the experiment's ``folder``."""
        write_document(self, oracle_file(folder, self.victim, self.seed))


def oracle_file(folder: Path, victim: str, seed: int) -> Path:
    """Path of an :class:`OracleResult`."""
    return folder / "cells" / victim / f"seed-{seed}.json"


def read_cell(folder: Path, cell: AttackCell) -> SearchResult | None:
    """The result of ``cell``; None if it is not finished.

    Raises:
        RbnnError: the file is damaged.
    """
    fix = "Delete it: its cell is then computed again."
    return read_document(SearchResult, cell.file(folder), fix)


def read_oracle(folder: Path, victim: str, other: str, seed: int) -> OracleResult | None:
    """The result of a victim and seed with ``other`` as the thief's task; None if not finished.

    Raises:
        RbnnError: the file is damaged, or its thief had another task.
    """
    path = oracle_file(folder, victim, seed)
    result = read_document(OracleResult, path, "Delete it: its cell is then computed again.")
    if result is not None and result.other != other:
        raise RbnnError(
            f"{path} was made with {result.other} as the thief's task, not {other}.",
            "Choose another folder with --out.",
        )
    return result
