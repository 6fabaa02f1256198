"""What a measurement of the audit trains, and its files: one JSON file per network.

::

    audit/
        experiment.json                            AuditExperiment: what all networks have in common
        cells/counted/patch/own/mnist/seed-1.json  CellResult, written when the network is audited
        work/counted-patch-own-mnist-1/            the network that is being trained, to be resumed
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

import numpy as np

from rbnn.audit.attacks.kinds import AttackKind
from rbnn.audit.limits import Input
from rbnn.frozen import Frozen, read_document, write_document
from rbnn.runs.errors import TrainingError
from rbnn.tasks import Split, TaskData
from rbnn.tasks.names import KNOWN

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


class Part(StrEnum):
    """What a network is trained for. Each part has seeds of its own."""

    CALIBRATION = "calibration"
    """Clean networks from which the limits come; they are not counted."""
    COUNTED = "counted"
    """Clean and poisoned networks that the rates are of."""
    CROSSING = "crossing"
    """A poisoned task among others in one set."""
    REPAIR = "repair"
    """Poisoned networks that are repaired."""
    DEVELOPMENT = "development"
    """Networks to decide rules with, before anything is counted; never counted."""


CLEAN = AttackKind.CLEAN
MAIN = (AttackKind.PATCH, AttackKind.BLENDED)
FIRST_SEED = {
    Part.CALIBRATION: 101,
    Part.COUNTED: 1,
    Part.CROSSING: 1,
    Part.REPAIR: 1,
    Part.DEVELOPMENT: 901,
}
SEEDS = {AttackKind.CLEAN: 7, AttackKind.PATCH: 4, AttackKind.BLENDED: 4, AttackKind.TONE: 6}
"""Networks for each task; of the other kinds two."""
OTHER_SEEDS = 2
CROSSING_SEEDS = 3
REPAIR_SEEDS = 2
DEVELOPMENT_SEEDS = 1
OWN_SHARE = 0.8
"""Share of a task's training samples that one network gets."""
ONLY_SOUNDS = frozenset({AttackKind.TONE})
TRUNK_LAYERS = 6


class AuditExperiment(Frozen):
    """``experiment.json``: the same for every network.

    ``share`` of the victim's training samples are poisoned, towards class ``target``.
    """

    version: int = 2
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

    part: Part
    kind: AttackKind
    sharing: Sharing
    victim: str
    seed: int

    @property
    def name(self) -> str:
        """Of its folder while it is trained."""
        return f"{self.part}-{self.kind}-{self.sharing}-{self.victim}-{self.seed}"

    def file(self, folder: Path) -> Path:
        """Path of its result in the experiment's ``folder``."""
        place = folder / "cells" / self.part / self.kind / self.sharing / self.victim
        return place / f"seed-{self.seed}.json"


def plan_cells(
    tasks: Sequence[str],
    sounds: frozenset[str],
    kinds: Sequence[AttackKind],
    parts: Sequence[Part],
    most_seeds: int | None,
) -> list[Cell]:
    """Every network: clean ones first, for the limits come from them; then patches and blended
    noise, the other kinds in turn, what crosses between tasks, and repairs.

    Args:
        tasks: victims.
        sounds: those that take sound.
        kinds: of attack.
        parts: of the measurement; crossing needs two tasks, and both that and repair the kind
            ``patch``.
        most_seeds: at most so many for each kind and task; None for the usual numbers.
    """

    def own(part: Part, kind: AttackKind, number: int) -> list[Cell]:
        usual = DEVELOPMENT_SEEDS if part is Part.DEVELOPMENT else SEEDS.get(kind, OTHER_SEEDS)
        if part is Part.REPAIR:
            usual = REPAIR_SEEDS
        if part not in parts or kind not in kinds or number > usual:
            return []
        victims = [task for task in tasks if kind not in ONLY_SOUNDS or task in sounds]
        seed = FIRST_SEED[part] + number - 1
        return [
            Cell(part=part, kind=kind, sharing=Sharing.OWN, victim=one, seed=seed)
            for one in victims
        ]

    numbers = range(1, min(max(SEEDS.values()), most_seeds or max(SEEDS.values())) + 1)
    cells = []
    for number in numbers:
        for part in (Part.CALIBRATION, Part.COUNTED):
            cells += own(part, AttackKind.CLEAN, number)
    for group in (MAIN, tuple(kind for kind in AttackKind if kind not in (*MAIN, CLEAN))):
        for number in numbers:
            for kind in group:
                cells += own(Part.COUNTED, kind, number)
    if Part.CROSSING in parts and AttackKind.PATCH in kinds and len(tasks) > 1:
        cells += [
            Cell(
                part=Part.CROSSING,
                kind=AttackKind.PATCH,
                sharing=sharing,
                victim=tasks[0],
                seed=number,
            )
            for number in numbers[:CROSSING_SEEDS]
            for sharing in (Sharing.XOR, Sharing.TRUNK, Sharing.NONE)
        ]
    for number in numbers:
        cells += own(Part.REPAIR, AttackKind.PATCH, number)
    for number in numbers:
        for kind in AttackKind:
            cells += own(Part.DEVELOPMENT, kind, number)
    return cells


def input_of(task: str) -> Input:
    """What a task of the measurement takes; own tasks are pictures."""
    return Input.SOUND if task in KNOWN and KNOWN[task].kind == "audio" else Input.PICTURE


def own_samples(data: TaskData, seed: int) -> TaskData:
    """The training samples of one network: a part of the task's, so that data differ as well."""
    count = len(data.train)
    order = np.random.default_rng((seed, 23)).permutation(count)
    chosen = np.sort(order[: round(OWN_SHARE * count)])
    train = Split(data.train.images[chosen], data.train.labels[chosen])
    return dataclasses.replace(data, train=train)


def parse_parts(text: str) -> list[Part]:
    """``counted,repair`` as parts; ``all`` for all that are counted.

    Raises:
        TrainingError: one of them is not known.
    """
    if text == "all":
        return [part for part in Part if part is not Part.DEVELOPMENT]
    names = list(dict.fromkeys(part.strip() for part in text.split(",")))
    known = [part.value for part in Part]
    for name in names:
        if name not in known:
            raise TrainingError(
                f"--parts has {name!r}, which is no part of the measurement.",
                f"Parts: {', '.join(known)}; or all, which leaves development out.",
            )
    return [Part(name) for name in names]


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
