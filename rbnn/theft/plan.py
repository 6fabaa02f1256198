"""What a theft experiment fine-tunes, and its files: one JSON file per cell.

::

    theft/
        experiment.json                    Experiment: what every cell has in common
        cells/cifar/10/seed-1-bits.json    FineTuningResult, written when the cell is finished
        alone/<task>/                      single-task networks, if the run has none
        work/                              the cell that is being fine-tuned, to be resumed
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Sequence
from pathlib import Path

from pydantic import ConfigDict

from rbnn.frozen import Frozen, read_document, write_document
from rbnn.runs.errors import TrainingError
from rbnn.runs.run import Run
from rbnn.theft.starts import Start

FINE_TUNING = "fine-tuning"
"""The attack of an ``experiment.json`` that names none."""


class _Kind(Frozen):
    """The part of every ``experiment.json`` that says what the rest is."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    attack: str = FINE_TUNING


class Experiment(Frozen):
    """``experiment.json``: the same for every cell.

    ``model_id`` and ``parameters`` (SHA-256) identify the attacked run. Each fine-tuning takes
    ``steps`` steps with ``learning_rate`` at the schedule's peak; starts from bits have latent
    values of ``magnitude`` times the usual size. ``other`` is the task whose licence and network
    the thief has; None for the one after the victim.
    """

    version: int = 1
    model_id: str
    parameters: str
    other: str | None
    steps: int
    learning_rate: float
    magnitude: float
    attack: str = FINE_TUNING

    def hold(self, folder: Path) -> None:
        """Write ``experiment.json``, or check that the one in ``folder`` says the same.

        Raises:
            RbnnError: the folder holds another experiment, or cannot be written.
        """
        path = folder / "experiment.json"
        fix = "Delete it and its cells, or choose another folder with --out."
        kind = read_document(_Kind, path, fix)
        if kind is None:
            write_document(self, path)
            return
        # Experiments of different attacks have different fields.
        held: Frozen | None = kind
        names: Iterable[str] = ("attack",)
        if kind.attack == self.attack:
            held, names = read_document(type(self), path, fix), type(self).model_fields
        for name in names:
            if getattr(held, name) != getattr(self, name):
                raise TrainingError(
                    f"{folder} holds another experiment: its {name} is {getattr(held, name)}, "
                    f"here it is {getattr(self, name)}.",
                    "Choose another folder with --out, or the same settings.",
                )


class FineTuning(Frozen):
    """One fine-tuning: ``share`` in percent of the victim's training data."""

    victim: str
    share: float
    seed: int
    start: Start

    def file(self, folder: Path) -> Path:
        """Path of its result in the experiment's ``folder``."""
        name = f"seed-{self.seed}-{self.start.value}.json"
        return folder / "cells" / self.victim / f"{self.share:g}" / name


class FineTuningResult(FineTuning):
    """The result of a cell.

    ``samples`` is its number of training samples; accuracies are shares of 1 after the last step,
    ``test_accuracy`` on the whole test set.
    """

    other: str
    samples: int
    steps: int
    seconds: float
    loss: float
    train_accuracy: float
    test_accuracy: float

    def save(self, folder: Path) -> None:
        """Write it to the experiment's ``folder``."""
        write_document(self, self.file(folder))


def read_result(folder: Path, cell: FineTuning, other: str) -> FineTuningResult | None:
    """The result of ``cell`` with ``other`` as the thief's task; None if it is not finished.

    Raises:
        RbnnError: the file is damaged, or its thief had another task.
    """
    path = cell.file(folder)
    fix = "Delete it: its cell is then fine-tuned again."
    result = read_document(FineTuningResult, path, fix)
    if result is not None and result.other != other:
        raise TrainingError(
            f"{path} was made with {result.other} as the thief's task, not {other}.",
            "Choose another folder with --out.",
        )
    return result


def plan_cells(
    victims: Iterable[str], shares: Sequence[float], seeds: Sequence[int]
) -> list[FineTuning]:
    """Every cell, seed by seed, so that finished cells form pairs."""
    return [
        FineTuning(victim=victim, share=share, seed=seed, start=start)
        for seed in seeds
        for share in shares
        for victim in victims
        for start in Start
    ]


def choose_victims(run: Run, victims: Sequence[str], other: str | None) -> dict[str, str]:
    """By victim, the task whose licence and network the thief has.

    Args:
        run: the attacked run.
        victims: names of its tasks; empty for all of them except ``other``.
        other: the thief's task; None for the one after the victim in the run's order, the first
            one for the last victim.

    Raises:
        TrainingError: the run cannot be attacked, or has no such tasks.
    """
    config = run.config()
    names = [task.name for task in config.tasks]
    if config.scheme != "xor":
        raise TrainingError(
            f"{run.folder} was trained under scheme {config.scheme}; only xor has licences.",
            "Name a shared run that was trained under xor, the default of `rbnn train`.",
        )
    if len(names) < 2:
        raise TrainingError(
            f"{run.folder} has only one task; a thief needs the licence of another.",
            "Train two tasks or more in one network: rbnn train --tasks digits,words",
        )
    for name in (*victims, *(() if other is None else (other,))):
        if name not in names:
            raise TrainingError(
                f"{run.folder} has no task {name!r}.", f"It has: {', '.join(names)}."
            )
    if other in victims:
        raise TrainingError(
            f"{other} cannot be both the victim and the thief's task.",
            "Name two different tasks with --victim and --other.",
        )
    robbed = victims or [name for name in names if name != other]
    return {name: other or names[(names.index(name) + 1) % len(names)] for name in robbed}


def plan_experiment(
    run: Run, other: str | None, steps: int, learning_rate: float | None, magnitude: float
) -> Experiment:
    """What all cells have in common.

    Args:
        run: the attacked run.
        other: as for :func:`choose_victims`.
        steps: of each fine-tuning.
        learning_rate: its peak; None for that of the run.
        magnitude: of latent values that start from bits.

    Raises:
        RbnnError: a number is unusable, or the run has no trained parameters.
    """
    config = run.config()
    if steps < 1:
        raise TrainingError(
            f"--steps must be 1 or more. Received: {steps}.", "Omit it for the default."
        )
    rate = config.learning_rate if learning_rate is None else learning_rate
    for option, value in {"--learning-rate": rate, "--magnitude": magnitude}.items():
        if not 0 < value < math.inf:
            raise TrainingError(
                f"{option} must be above 0 and finite. Received: {value}.",
                "Omit it for the default.",
            )
    try:
        parameters = hashlib.sha256(run.parameters_file.read_bytes()).hexdigest()
    except OSError as error:
        raise TrainingError(
            f"Cannot read {run.parameters_file}: {error.strerror}.",
            f"Train the run to its end: rbnn train --resume {run.folder}",
        ) from error
    return Experiment(
        model_id=config.model_id,
        parameters=parameters,
        other=other,
        steps=steps,
        learning_rate=rate,
        magnitude=magnitude,
    )


def parse_shares(text: str) -> list[float]:
    """``1,10,100`` as percentages, ascending.

    Raises:
        TrainingError: one of them is not a percentage.
    """
    try:
        shares = sorted({float(part) for part in text.split(",")})
    except ValueError:
        shares = []
    if not shares or not all(0 < share <= 100 for share in shares):
        raise TrainingError(
            f"--shares takes percentages above 0, up to 100. Received: {text!r}.",
            "For instance: --shares 1,10,100",
        )
    return shares


def parse_seeds(text: str) -> list[int]:
    """``1,2,3`` as seeds, ascending.

    Raises:
        TrainingError: one of them is not a seed.
    """
    try:
        seeds = sorted({int(part) for part in text.split(",")})
    except ValueError:
        seeds = []
    if not seeds or not all(0 <= seed < 2**31 for seed in seeds):
        raise TrainingError(
            f"--seeds takes whole numbers in 0 .. {2**31 - 1}. Received: {text!r}.",
            "For instance: --seeds 1,2,3",
        )
    return seeds
