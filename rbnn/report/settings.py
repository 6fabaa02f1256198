"""A run's settings in words, and the commands that make such a run again."""

from __future__ import annotations

import platform
import shlex
from importlib.metadata import PackageNotFoundError, version
from pathlib import PurePath

from rbnn import __version__
from rbnn.report.figures import ReproduceCommand, TrainingState
from rbnn.runs.config import RunConfig, RunTask
from rbnn.runs.settings import ENDS, NETWORK, SAMPLES, TABLE
from rbnn.tasks.names import KNOWN

PACKAGES = ("tensorflow", "tf-keras", "larq", "numpy", "cryptography")
"""Those that a run's figures may depend on."""


def task_argument(task: RunTask) -> str:
    """A task as ``rbnn train --tasks`` takes it.

    Of a path to the user's data only the last part is kept: the rest is private, and differs from
    machine to machine.
    """
    name, _, path = task.source.partition("=")
    known = KNOWN.get(name)
    if not path or (known and PurePath(path).stem in (known.file, known.name)):
        return name
    return f"{name}={PurePath(path).name}"


def origin_text(origin: str) -> str:
    """Where data come from, a path cut to its last part."""
    return (
        PurePath(origin).name if origin.startswith(("/", "\\")) or origin[1:3] == ":\\" else origin
    )


def versions() -> dict[str, str]:
    """Versions of this report's tools by name."""
    found = {"rbnn": __version__, "Python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def settings(config: RunConfig) -> dict[str, str]:
    """The run's settings in words, row by row of the report."""
    rows = {setting.row: list[str]() for setting in TABLE.values() if setting.row is not None}
    for setting, value in config.effective():
        if setting.row is not None:
            rows[setting.row].append(setting.show(value))
    found = {row.title: row.joint.join(texts) or row.empty for row, texts in rows.items()}
    size = "x".join(map(str, config.input_shape))
    if config.imported is not None:  # no setting of a training had an effect
        kept = (NETWORK, ENDS, *(TABLE[name].row for name in ("scheme", "cipher")))
        titles = [row.title for row in kept if row is not None]
        return {
            "imported from": config.imported.file,
            **{title: found[title] for title in titles},
            "input": size,
        }
    first = {"recipe": config.recipe} if config.recipe else {}
    first |= {NETWORK.title: found[NETWORK.title], "input": size}
    return {**first, **found, SAMPLES.title: _batches(config)}


def _batches(config: RunConfig) -> str:
    """The tasks' sub-batches, which follow from several settings."""
    sizes = {task.batch for task in config.tasks}
    if len(sizes) == 1:
        return f"{sizes.pop()} of every task"
    return ", ".join(f"{task.name} {task.batch}" for task in config.tasks)


def commands(config: RunConfig, name: str, board: str) -> tuple[ReproduceCommand, ...]:
    """What to type to train, measure and export such a run.

    Args:
        config: of the run.
        name: of its folder.
        board: that the report is about.
    """
    lines = [
        _made(config),
        ("Measure, with wrong secrets too", ["rbnn", "eval", name, "--wrong-secrets", "20"]),
        ("Export and check against Keras", ["rbnn", "export", name, "--board", board]),
        ("Write this report", ["rbnn", "report", name, "--board", board]),
    ]
    if config.scheme != "xor":
        del lines[2]
    if config.scheme == "none":
        lines[1] = ("Measure", ["rbnn", "eval", name, "--wrong-secrets", "0"])
    return tuple(ReproduceCommand(purpose=what, line=shlex.join(words)) for what, words in lines)


def _made(config: RunConfig) -> tuple[str, list[str]]:
    """How such a run is trained or, where it was a model, imported."""
    if config.imported is None:
        return "Train", ["rbnn", "train", *train_options(config)]
    (task,) = config.tasks
    name, _, data = task_argument(task).partition("=")
    words = ["rbnn", "import", config.imported.file, "--task", name]
    return "Import", [*words, *(["--data", data] if data else [])]


def as_trained(config: RunConfig, training: TrainingState) -> RunConfig:
    """A run that ended after some minutes, as one of so many steps: another machine takes other
    steps in the same time."""
    if config.minutes is None or not training.finished or training.steps == 0:
        return config
    return config.model_copy(update={"minutes": None, "steps": training.steps})


def train_options(config: RunConfig) -> list[str]:
    """The options of ``rbnn train`` that give this configuration."""
    # In a comparison the teachers are other runs; a single run trains them as its baselines.
    whole = config.model_copy(update={"baseline": config.baseline or config.taught})
    words = ["--tasks", ",".join(task_argument(task) for task in config.tasks)]
    for setting, value in whole.effective():
        if setting.name == "architecture" and config.network is not None:
            value = config.network.file
        words += setting.words(value, number=_shortest)
    return words


def _shortest(number: float) -> str:
    """A number without trailing zeros, but with all its digits."""
    short = f"{number:g}"
    return short if float(short) == number else str(number)
