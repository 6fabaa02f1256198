"""What a folder of ``rbnn bench accuracy`` compares: ``benchmark.json``.

A folder keeps its tasks and training settings: networks trained otherwise could not be compared.
Seeds, schemes and counts may be added at any time.
"""

from __future__ import annotations

import dataclasses
import fcntl
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from rbnn.errors import RbnnError
from rbnn.files import write_atomic
from rbnn.nets.architectures import architecture
from rbnn.report.accuracy_jobs import DEVICE_SCHEME, SCHEMES, Job, jobs
from rbnn.tasks import TaskData
from rbnn.train.run import Scheme
from rbnn.train.start import Settings, check, usual_precision

FILE = "benchmark.json"
LOCK_FILE = ".lock"
VERSION = 1
DEFAULT_SEEDS = (1, 2, 3)
DEFAULT_COUNTS = (1, 2, 4, 7)
DEFAULT_WRONG_SECRETS = 20
OPTIONS = {"architecture": "--arch"}
"""Options whose names are not those of their settings."""

T = TypeVar("T")


class PlannedTask(BaseModel):
    """A task: name, spec as ``--tasks`` takes it, and SHA-256 of its data."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    spec: str
    fingerprint: str


class Plan(BaseModel):
    """``benchmark.json``.

    ``settings`` are those of ``rbnn train`` but seed, scheme and baseline. ``steps`` are those that
    the first network took, where a time budget decided; all others then take as many.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

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

    def training(self, seed: int) -> Settings:
        """Settings of the runs of one seed."""
        return _training(self.settings, seed)

    @property
    def command(self) -> str:
        """The command that makes this comparison from nothing."""
        words = ["rbnn", "bench", "accuracy", "--tasks", ",".join(t.spec for t in self.tasks)]
        usual = usual_settings()
        for name, value in self.settings.items():
            if value is not None and (value != usual[name] or name == "architecture"):
                words += [option(name), f"{value}"]
        words += ["--seeds", ",".join(map(str, self.seeds))]
        words += ["--schemes", ",".join(self.schemes)]
        if self.counts:
            words += ["--counts", ",".join(map(str, self.counts))]
        return shlex.join([*words, "--wrong-secrets", str(self.wrong_secrets)])


@dataclass(frozen=True)
class Choice:
    """What the user asks for; None is what the folder has already, or the default.

    Args:
        settings: fields of ``Settings`` that were given; others are the folder's or the defaults.
        seeds: of the runs, the first one first.
        schemes: of the shared networks.
        counts: numbers of tasks.
        wrong_secrets: to try on each task.
    """

    settings: Mapping[str, Any] = field(default_factory=dict)
    seeds: Sequence[int] | None = None
    schemes: Sequence[Scheme] | None = None
    counts: Sequence[int] | None = None
    wrong_secrets: int | None = None


def option(setting: str) -> str:
    """The option that sets a field of ``Settings``."""
    return OPTIONS.get(setting, "--" + setting.replace("_", "-"))


def usual_settings() -> dict[str, Any]:
    """Defaults of all that a folder keeps."""
    fields = dataclasses.asdict(Settings())
    own = ("seed", "scheme", "baseline")
    return {name: value for name, value in fields.items() if name not in own}


def _training(settings: Mapping[str, Any], seed: int) -> Settings:
    """Settings of one seed; teachers are always there, as each task's own network is trained."""
    return Settings(**settings, seed=seed, baseline=settings["distill"] is not None)


def read_plan(folder: Path) -> Plan | None:
    """The plan of a begun folder; None where it is new.

    Raises:
        RbnnError: the file is damaged or of another version.
    """
    path = folder / FILE
    try:
        return Plan.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        raise RbnnError(
            f"Cannot read {path}: it is damaged or of another version of rbnn.",
            "Restore it, or choose another folder with --out.",
        ) from error


def require_plan(folder: Path) -> Plan:
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


def draft(folder: Path, tasks: Sequence[str] | None, choice: Choice) -> tuple[list[str], Choice]:
    """Check a choice against a begun folder, and complete it, before any data are read.

    Args:
        folder: of the comparison, new or begun.
        tasks: specs of the tasks; None for those of the folder.
        choice: what the user asks for.

    Returns:
        Specs of the tasks, and the choice with nothing left open.

    Raises:
        RbnnError: the folder was begun otherwise, or something cannot be.
    """
    plan = read_plan(folder)
    if plan is None:
        if not tasks:
            plan = require_plan(folder)
        elif folder.is_dir() and any(entry.name != LOCK_FILE for entry in folder.iterdir()):
            raise RbnnError(
                f"{folder} holds other files, and no comparison.",
                "Choose a new folder with --out.",
            )
    if plan is None:
        assert tasks is not None
        specs, settings = list(tasks), {**usual_settings(), **choice.settings}
        settings["precision"] = settings["precision"] or usual_precision()
        default_counts = tuple(count for count in DEFAULT_COUNTS if count <= len(specs))
        filled = Choice(
            settings,
            DEFAULT_SEEDS if choice.seeds is None else choice.seeds,
            SCHEMES if choice.schemes is None else choice.schemes,
            default_counts if choice.counts is None else choice.counts,
            DEFAULT_WRONG_SECRETS if choice.wrong_secrets is None else choice.wrong_secrets,
        )
    else:
        specs, settings = [task.spec for task in plan.tasks], plan.settings
        if tasks is not None and list(tasks) != specs:
            raise _begun_otherwise(folder, "--tasks", ",".join(specs), ",".join(tasks))
        for name, value in choice.settings.items():
            if settings[name] != value:
                raise _begun_otherwise(folder, option(name), settings[name], value)
        filled = Choice(
            settings,
            plan.seeds if choice.seeds is None else choice.seeds,
            plan.schemes if choice.schemes is None else choice.schemes,
            plan.counts if choice.counts is None else choice.counts,
            plan.wrong_secrets if choice.wrong_secrets is None else choice.wrong_secrets,
        )
    _check(filled, len(specs))
    return specs, filled


def settle(folder: Path, specs: Sequence[str], choice: Choice, data: Sequence[TaskData]) -> Plan:
    """Write the folder's plan: what it had, and what ``choice`` adds.

    Args:
        folder: of the comparison; made when missing.
        specs: of the tasks, from :func:`draft`.
        choice: complete, from the same.
        data: the tasks, in order.

    Returns:
        What to train now; the file holds everything that was ever asked for.

    Raises:
        RbnnError: the data are no longer those that the folder was begun with.
    """
    known = read_plan(folder)
    tasks = tuple(
        PlannedTask(name=task.name, spec=spec, fingerprint=task.fingerprint)
        for spec, task in zip(specs, data, strict=True)
    )
    if known is not None:
        for before, now in zip(known.tasks, tasks, strict=True):
            if before.fingerprint != now.fingerprint:
                raise RbnnError(
                    f"The data of task {now.name} have changed since {folder} was begun.",
                    "Restore them, or choose another folder with --out.",
                )
    assert choice.seeds is not None and choice.schemes is not None and choice.counts is not None
    assert choice.wrong_secrets is not None
    wanted = Plan(
        tasks=tasks,
        settings=dict(choice.settings),
        seeds=tuple(choice.seeds),
        schemes=tuple(choice.schemes),
        counts=tuple(sorted(choice.counts)),
        wrong_secrets=choice.wrong_secrets,
    )
    everything = wanted
    if known is not None:
        everything = wanted.model_copy(
            update={
                "seeds": _joined(known.seeds, wanted.seeds),
                "schemes": _joined(known.schemes, wanted.schemes),
                "counts": tuple(sorted(_joined(known.counts, wanted.counts))),
                "steps": known.steps,
            }
        )
    if everything != known:
        write_atomic(folder / FILE, everything.model_dump_json(indent=2) + "\n")
    return wanted


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


def parse_numbers(name: str, text: str) -> tuple[int, ...]:
    """Read ``1,2,3``.

    Raises:
        RbnnError: names the option.
    """
    return _parse(name, text, "whole numbers separated by commas, such as 1,2,3", int)


def parse_schemes(text: str) -> tuple[Scheme, ...]:
    """Read ``xor,none``.

    Raises:
        RbnnError: not one of them, or one of them twice.
    """

    def scheme(word: str) -> Scheme:
        if word not in SCHEMES:
            raise ValueError
        return word

    return _parse("--schemes", text, f"some of {','.join(SCHEMES)}", scheme)


def _parse(name: str, text: str, form: str, read: Callable[[str], T]) -> tuple[T, ...]:
    try:
        found = tuple(read(word.strip()) for word in text.split(","))
    except ValueError as error:
        raise RbnnError(f"{name} takes {form}. Received: {text!r}.") from error
    if len(set(found)) < len(found):
        raise RbnnError(f"{name} names one of them twice. Received: {text!r}.")
    return found


def _check(choice: Choice, tasks: int) -> None:
    for count in choice.counts or ():
        if not 1 <= count <= tasks:
            raise RbnnError(f"--counts must be in 1 .. {tasks}, the tasks. Received: {count}.")
    if choice.wrong_secrets is not None and choice.wrong_secrets < 0:
        raise RbnnError(f"--wrong-secrets must be 0 or more. Received: {choice.wrong_secrets}.")
    settings = choice.settings
    architecture(settings["architecture"])
    for seed in choice.seeds or ():
        check(_training(settings, seed))
    if settings["minutes"] is not None and DEVICE_SCHEME not in (choice.schemes or ()):
        raise RbnnError(
            f"--minutes needs scheme {DEVICE_SCHEME}: the steps of its network are everyone's.",
            "Take --steps or --epochs, or add the scheme.",
        )


def _begun_otherwise(folder: Path, name: str, before: object, now: object) -> RbnnError:
    was = "its default" if before is None else before
    return RbnnError(
        f"{folder} was begun with {name} {was}, not {now}: the networks could not be compared.",
        f"Leave {name} away to go on, or choose another folder with --out.",
    )


def _joined(one: Iterable[T], other: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys((*one, *other)))
