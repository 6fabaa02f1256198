"""What a folder of ``rbnn bench accuracy`` compares: ``benchmark.json``.

The tasks and training settings of a folder cannot change: its networks could not be compared then.
Seeds, schemes and counts may be added at any time.
"""

from __future__ import annotations

import fcntl
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from rbnn.compare.jobs import DEVICE_SCHEME, Job, count_network, jobs
from rbnn.errors import RbnnError
from rbnn.files import write_atomic
from rbnn.frozen import Frozen
from rbnn.runs.config import FloatTeacher
from rbnn.runs.settings import TABLE, Scheme, Settings

FILE = "benchmark.json"
LOCK_FILE = ".lock"
VERSION = 1


class PlannedTask(Frozen):
    """A task: name, spec as ``--tasks`` takes it, and SHA-256 of its data."""

    name: str
    spec: str
    fingerprint: str


class ComparisonPlan(Frozen):
    """``benchmark.json``.

    ``settings`` are those of ``rbnn train`` except seed, scheme and baseline. With a time budget,
    ``steps`` is how many the first network took; all others then take as many. ``teachers`` says
    what the float models are, by task; their files are relative to the folder.
    """

    version: int = VERSION
    tasks: tuple[PlannedTask, ...]
    settings: dict[str, Any]
    seeds: tuple[int, ...]
    schemes: tuple[Scheme, ...]
    counts: tuple[int, ...]
    wrong_secrets: int
    steps: int | None = None
    teachers: dict[str, FloatTeacher] = Field(default_factory=dict)

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
        """The command that makes this comparison from scratch."""
        words = ["rbnn", "bench", "accuracy", "--tasks", ",".join(t.spec for t in self.tasks)]
        usual = usual_settings()
        for name, value in self.settings.items():
            if value is not None and (value != usual[name] or name == "architecture"):
                words += TABLE[name].words(value)
        words += ["--seeds", ",".join(map(str, self.seeds))]
        words += ["--schemes", ",".join(self.schemes)]
        if self.counts:
            words += ["--counts", ",".join(map(str, self.counts))]
        return shlex.join([*words, "--wrong-secrets", str(self.wrong_secrets)])


def usual_settings() -> dict[str, Any]:
    """Defaults of all that a folder keeps."""
    return {name: one.default for name, one in TABLE.items() if one.in_comparison}


def training_settings(settings: Mapping[str, Any], seed: int) -> Settings:
    """Settings of one seed; a comparison always trains the single-task networks."""
    made = Settings(**settings, seed=seed)
    return made.model_copy(update={"baseline": made.superpose or made.distill is not None})


def read_plan(folder: Path) -> ComparisonPlan | None:
    """The plan of an existing comparison; None where the folder is new.

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
            f"Cannot read {path}: it is damaged or from another version of rbnn.",
            "Restore it, or choose another folder with --out.",
        ) from error


def require_plan(folder: Path) -> ComparisonPlan:
    """The plan of an existing comparison.

    Raises:
        RbnnError: the folder holds none.
    """
    plan = read_plan(folder)
    if plan is None:
        raise RbnnError(
            f"{folder} holds no comparison: there is no {FILE}.",
            f"Start one with: rbnn bench accuracy --tasks cifar,fashion,kws --out {folder}",
        )
    return plan


def record_steps(folder: Path, steps: int) -> None:
    """Record the steps that the first network took in its time; later calls change nothing."""
    plan = require_plan(folder)
    if plan.steps is None:
        made = plan.model_copy(update={"steps": steps})
        write_atomic(folder / FILE, made.model_dump_json(indent=2) + "\n")


@contextmanager
def locked(
    folder: Path,
    command: str = "rbnn bench accuracy",
    fix: str = "Wait for it to end; --report-only works meanwhile.",
) -> Iterator[None]:
    """Keep others from training in the same folder.

    Args:
        folder: made when missing.
        command: that trains there, for the message.
        fix: what the user may do meanwhile.

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
            raise RbnnError(f"Another {command} is running in {folder}.", fix) from error
        yield
