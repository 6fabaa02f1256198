"""What a folder of ``rbnn bench accuracy`` compares: ``benchmark.json``.

A folder keeps its tasks and training settings: networks trained otherwise could not be compared.
Seeds, schemes and counts may be added at any time.
"""

from __future__ import annotations

import dataclasses
import fcntl
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from rbnn.compare.jobs import DEVICE_SCHEME, Job, count_network, jobs
from rbnn.errors import RbnnError
from rbnn.files import write_atomic
from rbnn.frozen import Frozen
from rbnn.runs.run import Scheme
from rbnn.runs.start import Settings

FILE = "benchmark.json"
LOCK_FILE = ".lock"
VERSION = 1
OPTIONS = {"architecture": "--arch", "shares": "--share", "weights": "--weight"}
"""Options whose names are not those of their settings."""


class PlannedTask(Frozen):
    """A task: name, spec as ``--tasks`` takes it, and SHA-256 of its data."""

    name: str
    spec: str
    fingerprint: str


class ComparisonPlan(Frozen):
    """``benchmark.json``.

    ``settings`` are those of ``rbnn train`` but seed, scheme and baseline. ``steps`` are those that
    the first network took, where a time budget decided; all others then take as many.
    """

    version: int = VERSION
    tasks: tuple[PlannedTask, ...]
    settings: dict[str, Any]
    seeds: tuple[int, ...]
    schemes: tuple[Scheme, ...]
    counts: tuple[int, ...]
    wrong_secrets: int
    steps: int | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the tasks."""
        return tuple(task.name for task in self.tasks)

    @property
    def jobs(self) -> list[Job]:
        """Every network, in the order of their training."""
        return jobs(self.names, self.seeds, self.schemes, self.counts)

    def shared(self, count: int) -> str:
        """Name of the network that the first ``count`` tasks share under ``xor``."""
        return DEVICE_SCHEME if count == len(self.tasks) else count_network(count)

    def training(self, seed: int) -> Settings:
        """Settings of the runs of one seed."""
        return training_settings(self.settings, seed)

    @property
    def command(self) -> str:
        """The command that makes this comparison from nothing."""
        words = ["rbnn", "bench", "accuracy", "--tasks", ",".join(t.spec for t in self.tasks)]
        usual = usual_settings()
        for name, value in self.settings.items():
            if value is not None and (value != usual[name] or name == "architecture"):
                words += option_words(name, value)
        words += ["--seeds", ",".join(map(str, self.seeds))]
        words += ["--schemes", ",".join(self.schemes)]
        if self.counts:
            words += ["--counts", ",".join(map(str, self.counts))]
        return shlex.join([*words, "--wrong-secrets", str(self.wrong_secrets)])


def option(setting: str) -> str:
    """The option that sets a field of ``Settings``."""
    return OPTIONS.get(setting, "--" + setting.replace("_", "-"))


def option_words(setting: str, value: object) -> list[str]:
    """A field of ``Settings`` as it is typed."""
    if isinstance(value, Mapping):
        return [
            word for pair in value.items() for word in (option(setting), f"{pair[0]}={pair[1]}")
        ]
    if value is True:
        return [option(setting)]
    return [option(setting), f"{value}"]


def usual_settings() -> dict[str, Any]:
    """Defaults of all that a folder keeps."""
    fields = dataclasses.asdict(Settings())
    own = ("seed", "scheme", "baseline")
    return {name: value for name, value in fields.items() if name not in own}


def training_settings(settings: Mapping[str, Any], seed: int) -> Settings:
    """Settings of one seed; teachers are always there, as each task's own network is trained."""
    taught = settings["superpose"] or settings["distill"] is not None
    return Settings(**settings, seed=seed, baseline=taught)


def read_plan(folder: Path) -> ComparisonPlan | None:
    """The plan of a begun folder; None where it is new.

    Raises:
        RbnnError: the file is damaged or of another version.
    """
    path = folder / FILE
    try:
        plan = ComparisonPlan.model_validate_json(path.read_bytes())
        training_settings(plan.settings, 1)
        return plan
    except FileNotFoundError:
        return None
    except (OSError, ValidationError, TypeError, KeyError) as error:
        raise RbnnError(
            f"Cannot read {path}: it is damaged or of another version of rbnn.",
            "Restore it, or choose another folder with --out.",
        ) from error


def require_plan(folder: Path) -> ComparisonPlan:
    """The plan of a folder that was begun.

    Raises:
        RbnnError: it was not.
    """
    plan = read_plan(folder)
    if plan is None:
        raise RbnnError(
            f"{folder} holds no comparison: there is no {FILE}.",
            f"Begin one with: rbnn bench accuracy --tasks cifar,fashion,kws --out {folder}",
        )
    return plan


def record_steps(folder: Path, steps: int) -> None:
    """Keep what the first network took of a time budget; later calls change nothing."""
    plan = require_plan(folder)
    if plan.steps is None:
        made = plan.model_copy(update={"steps": steps})
        write_atomic(folder / FILE, made.model_dump_json(indent=2) + "\n")


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep others from training in the same folder.

    Raises:
        RbnnError: another process does, or the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        stream = (folder / LOCK_FILE).open("w")
    except OSError as error:
        raise RbnnError(
            f"Cannot write {folder}: {error.strerror}.", "Choose another folder with --out."
        ) from error
    with stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise RbnnError(
                f"Another rbnn bench accuracy is at work in {folder}.",
                "Wait for it; --report-only may be used meanwhile.",
            ) from error
        yield
