"""A run's settings as people read them, and the commands that make such a run again."""

from __future__ import annotations

import platform
import shlex
from importlib.metadata import PackageNotFoundError, version
from pathlib import PurePath

from rbnn import __version__
from rbnn.report.figures import ReproduceCommand
from rbnn.runs.run import RunConfig, RunTask
from rbnn.tasks.names import KNOWN

PACKAGES = ("tensorflow", "tf-keras", "larq", "numpy", "cryptography")
"""Those that a run's figures may depend on."""


def task_argument(task: RunTask) -> str:
    """A task as ``rbnn train --tasks`` takes it.

    The path of a folder of the user's own is cut to its last part: where it stands is nobody's
    business, and differs from machine to machine.
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
    """What the user chose, or what was chosen for them, in words."""
    size = f"width {config.width}, depth {config.depth}"
    if config.stages is not None:
        size += f", {config.stages} stages"
    ends = {"epochs": config.epochs, "steps": config.steps, "minutes": config.minutes}
    distill = config.distill
    return {
        "architecture": f"{config.architecture}, {size}",
        "input": "x".join(map(str, config.input_shape)),
        "scheme": config.scheme,
        "cipher": config.cipher,
        "layers under one key": str(config.trunk) if config.trunk else "none",
        "length": " or ".join(f"{value:,.10g} {name}" for name, value in ends.items() if value),
        "samples a step": _batches(config),
        "weights in the loss": _weights(config),
        "learning rate": f"{config.learning_rate:g} at its peak",
        "seed": str(config.seed),
        "precision in training": config.precision,
        "distillation": (
            "none"
            if distill is None
            else f"weight {distill.weight:g}, temperature {distill.temperature:g}"
        ),
        "first values": (
            "the single-task networks laid on each other" if config.superpose else "random"
        ),
        "single-task networks": "trained too" if config.baseline else "not trained",
    }


def _batches(config: RunConfig) -> str:
    sizes = {task.batch for task in config.tasks}
    if len(sizes) == 1:
        return f"{sizes.pop()} of every task"
    return ", ".join(f"{task.name} {task.batch}" for task in config.tasks)


def _weights(config: RunConfig) -> str:
    named = [f"{name} {factor:g}" for name, factor in config.weights.items()]
    return ", ".join([*named, "others 1"]) if named else "equal"


def commands(config: RunConfig, name: str, board: str) -> tuple[ReproduceCommand, ...]:
    """What to type to train, measure and export such a run.

    Args:
        config: of the run.
        name: of its folder.
        board: that the report is about.
    """
    lines = [
        ("Train", ["rbnn", "train", *train_options(config)]),
        ("Measure, with wrong secrets too", ["rbnn", "eval", name, "--wrong-secrets", "20"]),
        ("Export and check against Keras", ["rbnn", "export", name, "--board", board]),
        ("Write this report", ["rbnn", "report", name, "--board", board]),
    ]
    if config.scheme != "xor":
        del lines[2]
    if config.scheme == "none":
        lines[1] = ("Measure", ["rbnn", "eval", name, "--wrong-secrets", "0"])
    return tuple(ReproduceCommand(purpose=what, line=shlex.join(words)) for what, words in lines)


def train_options(config: RunConfig) -> list[str]:
    """The options of ``rbnn train`` that give this configuration."""
    values: dict[str, object] = {
        "tasks": ",".join(task_argument(task) for task in config.tasks),
        "arch": config.architecture,
        "width": config.width,
        "depth": config.depth,
        "stages": config.stages,
        "scheme": config.scheme,
        "cipher": config.cipher,
        "epochs": config.epochs,
        "steps": config.steps,
        "minutes": config.minutes,
        "batch": config.batch,
        "sampling": config.sampling or None,
        "trunk": config.trunk or None,
        "learning-rate": config.learning_rate,
        "precision": config.precision,
        "distill": None if config.distill is None else config.distill.weight,
        "temperature": None if config.distill is None else config.distill.temperature,
        "seed": config.seed,
    }
    words = []
    for option, value in values.items():
        if value is not None:
            words += [f"--{option}", f"{value:g}" if isinstance(value, float) else str(value)]
    for option, factors in {"--share": config.shares, "--weight": config.weights}.items():
        for name, factor in factors.items():
            words += [option, f"{name}={factor:g}"]
    if config.superpose:
        words.append("--superpose")
    return [*words, "--baseline"] if config.baseline or config.taught else words
