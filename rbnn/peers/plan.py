"""What a folder of ``rbnn bench peers`` compares: ``plan.json``.

::

    FOLDER/
        plan.json                   PeerPlan: what all networks have in common
        peers.json, .md, .svg       the figures, the page and its plot
        shared/measured.json        the shared binary set
        int8/TASK/                  int8 networks in the same flash
        published/TASK/             int8 networks at their published size
        trunk/all/                  one int8 trunk with a head for each task
        binary/TASK/run/            binary networks in the same flash, with --binary

    int8/TASK/
        rates.json                  validation accuracy by learning rate
        network.tflite              the converted network
        measured.json               MeasuredNetwork, written when it is finished
        training/                   checkpoints of the training under way
"""

from __future__ import annotations

import hashlib
import math
import shlex
from dataclasses import dataclass
from pathlib import Path

from rbnn.errors import RbnnError
from rbnn.frozen import Frozen, read_document, write_document
from rbnn.runs.config import RunConfig
from rbnn.runs.errors import TrainingError
from rbnn.runs.figures import read_figures
from rbnn.runs.run import Run
from rbnn.runs.settings import FEWEST_SAMPLES

FILE = "plan.json"
DEFAULT_RATES = (0.002, 0.006, 0.02)
TRIAL_SHARE = 0.25
"""Of the samples of a whole training, those of one that tries a learning rate."""


@dataclass(frozen=True)
class PeerSettings:
    """What the user may choose; None for what the run gives.

    Args:
        tasks: names separated by commas.
        steps: of each network, with the run's sub-batches.
        samples: of each task, in place of ``steps``.
        rates: learning rates to try, separated by commas.
        binary: whether to train separate binary networks, too.
    """

    tasks: str | None = None
    steps: int | None = None
    samples: int | None = None
    rates: str | None = None
    binary: bool = False


class PeerPlan(Frozen):
    """``plan.json``.

    ``parameters`` (SHA-256) and ``model_id`` identify the run. Every network takes ``steps`` steps,
    each with ``batches`` samples of a task. ``run_samples`` is how many of each task the run drew,
    its single-task networks included where these taught it or gave its first values. ``budget`` is
    the option that set another one, ``steps`` or ``samples``, and its value.
    """

    version: int = 1
    run: str
    model_id: str
    parameters: str
    tasks: tuple[str, ...]
    seed: int
    steps: int
    batches: dict[str, int]
    run_samples: dict[str, int]
    rates: tuple[float, ...]
    trial_steps: int
    budget: tuple[str, int] | None = None
    binary: bool = False

    def samples(self, task: str) -> int:
        """How many samples of a task a network is trained on, repetitions included."""
        return self.steps * self.batches[task]

    def command(self, run: Run, folder: Path) -> str:
        """The command that makes this comparison from scratch."""
        words = ["rbnn", "bench", "peers", str(run.folder), "--out", str(folder)]
        words += ["--tasks", ",".join(self.tasks)]
        words += [] if self.budget is None else [f"--{self.budget[0]}", str(self.budget[1])]
        words += ["--rates", ",".join(f"{rate:g}" for rate in self.rates)]
        return shlex.join([*words, *(["--binary"] if self.binary else [])])

    def hold(self, folder: Path) -> PeerPlan:
        """Write ``plan.json``, or check that the one in ``folder`` says the same.

        Returns:
            What the folder holds: ``binary`` once it was asked for.

        Raises:
            RbnnError: the folder holds another comparison or other files, or cannot be written.
        """
        held = read_plan(folder)
        if held is None:
            _refuse_other_files(folder)
        else:
            for name in PeerPlan.model_fields:
                before, now = getattr(held, name), getattr(self, name)
                if name not in ("run", "binary") and before != now:
                    raise TrainingError(
                        f"{folder} holds another comparison: its {name} is {before}, here it is "
                        f"{now}.",
                        "Choose another folder with --out, or add --resume for its settings.",
                    )
        made = self.model_copy(update={"binary": self.binary or (held and held.binary) or False})
        if made != held:
            write_document(made, folder / FILE)
        return made


def read_plan(folder: Path) -> PeerPlan | None:
    """The plan of an existing comparison; None where the folder has none.

    Raises:
        RbnnError: the file is damaged.
    """
    fix = "Restore it, or choose another folder with --out."
    return read_document(PeerPlan, folder / FILE, fix)


def resumed_plan(run: Run, settings: PeerSettings, folder: Path) -> PeerPlan:
    """The plan of ``folder``, for ``--resume``.

    Raises:
        RbnnError: there is none, or it is of another run.
    """
    held = read_plan(folder)
    if held is None:
        raise TrainingError(
            f"{folder} holds no comparison to resume: there is no {FILE}.", "Omit --resume."
        )
    if (held.model_id, held.parameters) != (run.config().model_id, _digest(run)):
        raise TrainingError(
            f"{folder} compares another run, or {run.folder} was trained further since.",
            "Name the run it was started with, or choose another folder with --out.",
        )
    return held.model_copy(update={"binary": held.binary or settings.binary})


def make_plan(run: Run, settings: PeerSettings) -> PeerPlan:
    """What the user asks for, checked against the run.

    Raises:
        RbnnError: a setting is unusable, or the run has no trained parameters.
    """
    config = run.config()
    if config.scheme != "xor":
        raise TrainingError(
            f"{run.folder} was trained under scheme {config.scheme}; a device runs only xor.",
            "Name a run that was trained under xor, the default of `rbnn train`.",
        )
    if settings.binary and config.network is not None:
        raise TrainingError(
            f"{run.folder} has a network of your own; rbnn cannot make it smaller for --binary.",
            "Omit --binary.",
        )
    tasks = _chosen(config, run, settings.tasks)
    digest = _digest(run)
    drawn = _steps_of(run, config)
    batches = {task.name: task.batch for task in config.tasks if task.name in tasks}
    run_samples = {name: drawn * batch for name, batch in batches.items()}
    steps, budget = drawn, None
    for option, value in {"steps": settings.steps, "samples": settings.samples}.items():
        if value is not None and value < 1:
            raise TrainingError(
                f"--{option} must be 1 or more. Received: {value}.", "Omit it for the default."
            )
        if value is not None and budget is not None:
            raise TrainingError("--steps cannot be combined with --samples.", "Omit one of them.")
        budget = budget if value is None else (option, value)
    if settings.steps is not None:
        steps = settings.steps
    if settings.samples is not None:
        mean = round(sum(batches.values()) / len(batches))
        batch = min(settings.samples, max(FEWEST_SAMPLES, mean))
        batches = dict.fromkeys(batches, batch)
        steps = -(-settings.samples // batch)
    return PeerPlan(
        run=run.folder.resolve().name,
        model_id=config.model_id,
        parameters=digest,
        tasks=tasks,
        seed=config.seed,
        steps=steps,
        batches=batches,
        run_samples=run_samples,
        rates=parse_rates(settings.rates),
        trial_steps=max(1, math.ceil(TRIAL_SHARE * steps)),
        budget=budget,
        binary=settings.binary,
    )


def parse_rates(text: str | None) -> tuple[float, ...]:
    """``0.001,0.003`` as learning rates, ascending; the usual ones for None.

    Raises:
        TrainingError: one of them is not a rate.
    """
    if text is None:
        return DEFAULT_RATES
    try:
        rates = tuple(sorted({float(part) for part in text.split(",")}))
    except ValueError:
        rates = ()
    if not rates or not all(0 < rate < math.inf for rate in rates):
        raise TrainingError(
            f"--rates takes numbers above 0, separated by commas. Received: {text!r}.",
            "For instance: --rates 0.002,0.006,0.02",
        )
    return rates


def _chosen(config: RunConfig, run: Run, text: str | None) -> tuple[str, ...]:
    names = [task.name for task in config.tasks]
    if text is None:
        return tuple(names)
    wanted = [word.strip() for word in text.split(",")]
    for name in wanted:
        if name not in names:
            raise TrainingError(
                f"{run.folder} has no task {name!r}.", f"It has: {', '.join(names)}."
            )
    return tuple(name for name in names if name in wanted)


def _steps_of(run: Run, config: RunConfig) -> int:
    """Steps that the run took, those of its single-task networks included if it builds on them."""
    epochs = read_figures(run)
    taken = epochs[-1].steps if epochs else config.planned_steps
    if not taken:
        raise TrainingError(
            f"{run.folder} does not say how many steps it took.", "Add --steps or --samples."
        )
    return 2 * taken if config.taught else taken


def _digest(run: Run) -> str:
    try:
        return hashlib.sha256(run.parameters_file.read_bytes()).hexdigest()
    except OSError as error:
        raise TrainingError(
            f"Cannot read {run.parameters_file}: {error.strerror}.",
            f"Train the run for an epoch or more: rbnn train --resume {run.folder}",
        ) from error


def _refuse_other_files(folder: Path) -> None:
    if folder.is_dir() and any(not entry.name.startswith(".") for entry in folder.iterdir()):
        raise RbnnError(
            f"{folder} holds other files but no comparison.", "Choose a new folder with --out."
        )
