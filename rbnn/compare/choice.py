"""What the user asks of a comparison, checked against what its folder already has."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from rbnn.compare.jobs import DEVICE_SCHEME, SCHEMES
from rbnn.compare.plan import (
    FILE,
    LOCK_FILE,
    ComparisonPlan,
    PlannedTask,
    read_plan,
    require_plan,
    training_settings,
    usual_settings,
)
from rbnn.errors import RbnnError
from rbnn.files import write_atomic
from rbnn.nets.architectures import architecture
from rbnn.runs.config import FloatTeacher
from rbnn.runs.settings import TABLE, Scheme, Settings
from rbnn.runs.start import check, check_names, usual_precision
from rbnn.runs.teachers import FOLDER as TEACHERS
from rbnn.tasks import Form, TaskData

DEFAULT_SEEDS = (1, 2, 3)
DEFAULT_COUNTS = (1, 2, 4, 7)
DEFAULT_WRONG_SECRETS = 20

T = TypeVar("T")


@dataclass(frozen=True)
class ComparisonChoice:
    """What the user asks for; None stands for what the folder already has, or the default.

    Args:
        settings: fields of ``Settings`` that were given.
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

    def form(self, task: str) -> Form:
        """What the samples of a task become, where ``settings`` are complete."""
        given = {name: self.settings[name] for name in ("input", "windows", "hops")}
        return Settings(**given).form(task)


def draft(
    folder: Path, tasks: Sequence[str] | None, choice: ComparisonChoice
) -> tuple[list[str], ComparisonChoice]:
    """Check a choice against an existing comparison and complete it, before any data are read.

    Args:
        folder: of the comparison, new or existing.
        tasks: specs of the tasks; None for those of the folder.
        choice: what the user asks for.

    Returns:
        Specs of the tasks, and the choice with nothing left open.

    Raises:
        RbnnError: the folder has other settings, or a setting is unusable.
    """
    plan = require_plan(folder) if tasks is None else read_plan(folder)
    # "auto" leaves a setting to this machine or, in an existing comparison, to what that has.
    given = {name: value for name, value in choice.settings.items() if value != "auto"}
    if plan is None:
        _refuse_other_files(folder)
        specs = list(tasks or ())
        usual = _defaults(len(specs))
    else:
        specs = [task.spec for task in plan.tasks]
        settings = {**usual_settings(), **plan.settings}
        usual = ComparisonChoice(
            settings, plan.seeds, plan.schemes, plan.counts, plan.wrong_secrets
        )
        if tasks is not None:
            names = [spec.partition("=")[0] for spec in tasks]
            if names != list(plan.names):
                raise _other_settings(folder, "--tasks", ",".join(specs), ",".join(tasks))
            specs = list(tasks)  # their data may have moved; settle() tells whether they changed
        given = {name: _kept(name, value) for name, value in given.items()}
        for name, value in given.items():
            if settings[name] != value:
                raise _other_settings(folder, TABLE[name].option, settings[name], value)
    filled = ComparisonChoice(
        {**usual.settings, **given},
        usual.seeds if choice.seeds is None else choice.seeds,
        usual.schemes if choice.schemes is None else choice.schemes,
        usual.counts if choice.counts is None else choice.counts,
        usual.wrong_secrets if choice.wrong_secrets is None else choice.wrong_secrets,
    )
    _check(filled, [spec.partition("=")[0] for spec in specs])
    return specs, filled


def settle(
    folder: Path,
    specs: Sequence[str],
    choice: ComparisonChoice,
    data: Sequence[TaskData],
    teachers: Mapping[str, FloatTeacher] = MappingProxyType({}),
) -> ComparisonPlan:
    """Write the folder's plan: what it had, and what ``choice`` adds.

    Args:
        folder: of the comparison; made when missing.
        specs: of the tasks, from :func:`draft`.
        choice: complete, from :func:`draft`.
        data: the tasks, in order.
        teachers: the float models in the folder, by task.

    Returns:
        What to train now; the file holds everything that was ever asked for.

    Raises:
        RbnnError: the data have changed since the comparison was started.
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
                    f"The data of task {now.name} have changed since {folder} was started.",
                    "Restore them, or choose another folder with --out.",
                )
    assert choice.seeds is not None and choice.schemes is not None and choice.counts is not None
    assert choice.wrong_secrets is not None
    wanted = ComparisonPlan(
        tasks=tasks,
        settings={name: _kept(name, value) for name, value in choice.settings.items()},
        seeds=tuple(choice.seeds),
        schemes=tuple(choice.schemes),
        counts=tuple(sorted(choice.counts)),
        wrong_secrets=choice.wrong_secrets,
        teachers=dict(teachers),
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


def parse_numbers(name: str, text: str) -> tuple[int, ...]:
    """Read ``1,2,3``.

    Raises:
        RbnnError: names the option.
    """
    return _parse(name, text, "whole numbers separated by commas, such as 1,2,3", int)


def parse_schemes(text: str) -> tuple[Scheme, ...]:
    """Read ``xor,none``.

    Raises:
        RbnnError: an unknown or repeated scheme.
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
        raise RbnnError(
            f"{name} must be {form}. Received: {text!r}.", "Omit it for the default."
        ) from error
    if len(set(found)) < len(found):
        raise RbnnError(f"{name} has a repeated entry. Received: {text!r}.", "Name each once.")
    return found


def _defaults(tasks: int) -> ComparisonChoice:
    """What a new comparison of this many tasks has where the user does not say."""
    settings = {**usual_settings(), "precision": usual_precision()}
    counts = tuple(count for count in DEFAULT_COUNTS if count <= tasks)
    return ComparisonChoice(settings, DEFAULT_SEEDS, SCHEMES, counts, DEFAULT_WRONG_SECRETS)


def _refuse_other_files(folder: Path) -> None:
    ours = (LOCK_FILE, TEACHERS)
    if folder.is_dir() and any(entry.name not in ours for entry in folder.iterdir()):
        raise RbnnError(
            f"{folder} holds other files but no comparison.", "Choose a new folder with --out."
        )


def _kept(name: str, value: Any) -> Any:
    """What a folder keeps of a setting: of a float model's path only the last part."""
    if name != "teachers":
        return value
    return {task: Path(file).name for task, file in value.items()}


def _check(choice: ComparisonChoice, tasks: Sequence[str]) -> None:
    for count in choice.counts or ():
        if not 1 <= count <= len(tasks):
            raise RbnnError(
                f"--counts must be from 1 to {len(tasks)}, the number of tasks. Received: {count}.",
                "Omit it for the default.",
            )
    if choice.wrong_secrets is not None and choice.wrong_secrets < 0:
        raise RbnnError(
            f"--wrong-secrets must be 0 or more. Received: {choice.wrong_secrets}.",
            "Omit it for the default.",
        )
    settings = choice.settings
    architecture(settings["architecture"])
    for seed in choice.seeds or ():
        chosen = training_settings(settings, seed)
        check(chosen)
        check_names(chosen, tasks)
    if settings["minutes"] is not None and DEVICE_SCHEME not in (choice.schemes or ()):
        raise RbnnError(
            f"--minutes needs scheme {DEVICE_SCHEME}: all networks take as many steps as that one.",
            "Use --steps or --epochs, or add the scheme.",
        )


def _other_settings(folder: Path, name: str, before: object, now: object) -> RbnnError:
    return RbnnError(
        f"{folder} has {name} {_typed(before)}, not {_typed(now)}: the networks could not be "
        "compared.",
        f"Leave {name} out to continue, or choose another folder with --out.",
    )


def _typed(value: object) -> object:
    """A setting as the user types it."""
    if value is None or value == {}:
        return "its default"
    if isinstance(value, Mapping):
        return ",".join(f"{name}={factor}" for name, factor in value.items())
    return value


def _joined(one: Iterable[T], other: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys((*one, *other)))
