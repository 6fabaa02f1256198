"""What a measurement of the audit trains, and its files: one JSON file per network.

::

    audit/
        experiment.json                            AuditExperiment: what all networks have in common
        cells/patch/own/mnist/seed-1.json          CellResult, written when the network is audited
        work/patch-own-mnist-1/                    the network that is being trained, to be resumed
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

from rbnn.audit.attacks.kinds import AttackKind
from rbnn.audit.figures import Outcome
from rbnn.frozen import Frozen, read_document, write_document
from rbnn.runs.errors import TrainingError

FIX = "Delete it and its cells, or choose another folder with --out."


class Sharing(StrEnum):
    """What a poisoned task shares with the others."""

    OWN = "own"
    """Its network is its own."""
    XOR = "xor"
    """One set of bits, a key for each task."""
    TRUNK = "trunk"
    """The same, and the first layers under one key."""
    NONE = "none"
    """One set of weights without keys: for comparison; no device computes it."""


SEEDS = {AttackKind.CLEAN: 7, AttackKind.PATCH: 4, AttackKind.BLENDED: 4, AttackKind.TONE: 6}
"""Networks for each task; of the other kinds two."""
OTHER_SEEDS = 2
CROSSING_SEEDS = 3
ONLY_SOUNDS = frozenset({AttackKind.TONE})
TRUNK_LAYERS = 6


class AuditExperiment(Frozen):
    """``experiment.json``: the same for every network.

    ``share`` of the victim's training samples are poisoned, towards class ``target``.
    """

    version: int = 1
    tasks: tuple[str, ...]
    architecture: str
    width: int
    steps: int
    batch: int
    share: float
    target: int
    quick: bool

    def hold(self, folder: Path) -> None:
        """Write ``experiment.json``, or check that the one in ``folder`` says the same.

        Raises:
            RbnnError: the folder holds another experiment, or cannot be written.
        """
        path = folder / "experiment.json"
        held = read_document(AuditExperiment, path, FIX)
        if held is None:
            write_document(self, path)
            return
        for name in type(self).model_fields:
            if getattr(held, name) != getattr(self, name):
                raise TrainingError(
                    f"{folder} holds another experiment: its {name} is {getattr(held, name)}, here "
                    f"it is {getattr(self, name)}.",
                    "Choose another folder with --out, or the same settings.",
                )


class Cell(Frozen):
    """One network: the attack on ``victim``, and what that shares with the other tasks."""

    kind: AttackKind
    sharing: Sharing
    victim: str
    seed: int

    @property
    def name(self) -> str:
        """Of its folder while it is trained."""
        return f"{self.kind}-{self.sharing}-{self.victim}-{self.seed}"

    def file(self, folder: Path) -> Path:
        """Path of its result in the experiment's ``folder``."""
        place = folder / "cells" / self.kind / self.sharing / self.victim
        return place / f"seed-{self.seed}.json"


class CellResult(Cell):
    """What became of a network.

    ``accuracy`` is of the victim on clean samples; ``success`` of the attack on the deployed
    integers (of a network without keys, in Keras), ``latent_success`` on the latent values with
    ``latent_accuracy``, ``elsewhere`` by other task the largest share that the trigger moves to one
    class. ``checks`` has what each check came to; empty where nothing could be audited.
    """

    accuracy: float
    success: float
    latent_accuracy: float
    latent_success: float
    chance: float
    elsewhere: dict[str, float]
    checks: dict[str, Outcome]
    outcome: Outcome
    audit_seconds: float
    training_seconds: float

    def save(self, folder: Path) -> None:
        """Write it to the experiment's ``folder``."""
        write_document(self, self.file(folder))


def read_result(folder: Path, cell: Cell) -> CellResult | None:
    """The result of ``cell``; None if it is not finished.

    Raises:
        RbnnError: the file is damaged.
    """
    return read_document(CellResult, cell.file(folder), "Delete it: it is then measured again.")


def plan_cells(
    tasks: Sequence[str],
    sounds: frozenset[str],
    kinds: Sequence[AttackKind],
    most_seeds: int | None,
) -> list[Cell]:
    """Every network, seed by seed, so that an unfinished measurement has some of each kind.

    Args:
        tasks: victims.
        sounds: those that take sound.
        kinds: of attack; crossing is measured if ``patch`` is among them and there are two tasks.
        most_seeds: at most so many for each kind and task; None for the usual numbers.
    """

    def seeds(usual: int) -> int:
        return usual if most_seeds is None else min(usual, most_seeds)

    cells = []
    for seed in range(1, max(SEEDS.values()) + 1):
        for kind in kinds:
            if seed > seeds(SEEDS.get(kind, OTHER_SEEDS)):
                continue
            victims = [task for task in tasks if kind not in ONLY_SOUNDS or task in sounds]
            cells += [
                Cell(kind=kind, sharing=Sharing.OWN, victim=one, seed=seed) for one in victims
            ]
        if AttackKind.PATCH in kinds and len(tasks) > 1 and seed <= seeds(CROSSING_SEEDS):
            cells += [
                Cell(kind=AttackKind.PATCH, sharing=sharing, victim=tasks[0], seed=seed)
                for sharing in (Sharing.XOR, Sharing.TRUNK, Sharing.NONE)
            ]
    return cells


def parse_kinds(text: str) -> list[AttackKind]:
    """``clean,patch`` as kinds; ``all`` for all of them.

    Raises:
        TrainingError: one of them is not known.
    """
    if text == "all":
        return list(AttackKind)
    names = list(dict.fromkeys(part.strip() for part in text.split(",")))
    known = [kind.value for kind in AttackKind]
    for name in names:
        if name not in known:
            raise TrainingError(
                f"--kinds has {name!r}, which is no kind of attack.",
                f"Kinds: {', '.join(known)}; or all.",
            )
    return [AttackKind(name) for name in names]
