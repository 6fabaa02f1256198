"""The run folder: what training writes and every later room reads.

It is private (mode 0700): docs/what-may-leave.md says what each file holds that is secret.

::

    runs/2026-11-21-digits-words/
        config.json        RunConfig: tasks and settings
        metrics.json       accuracy and loss per task and epoch
        parameters.npz     ModelParameters, written when an epoch ends
        checkpoints/       TensorFlow checkpoints, for --resume; no secrets
        tensorboard/       the same figures for TensorBoard
        secrets/           mode 0700: secrets.json (mode 0600), the task secrets, nothing else
        baseline/<task>/   single-task networks, where --baseline trained them; no key protects them
        export/            what `rbnn export` writes
"""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from pydantic import ValidationError

from rbnn.errors import RbnnError
from rbnn.files import PRIVATE, make_private_folder, write_atomic
from rbnn.frozen import first_problem
from rbnn.runs.config import CONFIG_VERSION, RunConfig, RunTask


class Run:
    """A run folder on disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config_file = folder / "config.json"
        self.metrics_file = folder / "metrics.json"
        self.parameters_file = folder / "parameters.npz"
        self.secrets_file = folder / "secrets" / "secrets.json"
        self.export_folder = folder / "export"
        self.checkpoint_folder = folder / "checkpoints"
        self.tensorboard_folder = folder / "tensorboard"
        self.forgotten_file = folder / "baseline" / "forgotten.txt"

    def baseline(self, task: str) -> Run:
        """Run folder of the single-task network of ``task``."""
        return Run(self.folder / "baseline" / task)

    def relative_to(self, run: Run) -> str:
        """This run's folder as seen from that of ``run``."""
        return os.path.relpath(self.folder, run.folder)

    def teacher(self, task: RunTask) -> Run:
        """The run that taught ``task``.

        Raises:
            ValueError: the task has no teacher.
        """
        if task.teacher is None:
            raise ValueError(f"A task with a teacher. Received: {task.name}")
        return Run(self.folder / task.teacher)

    def config(self) -> RunConfig:
        """Read ``config.json``.

        Raises:
            RbnnError: no such run, or one of another version.
        """
        try:
            text = self.config_file.read_bytes()
            version = _version(text)
            if version not in (None, CONFIG_VERSION):
                raise RbnnError(
                    f"{self.config_file} is a run of format {version}; this version of rbnn reads "
                    f"{CONFIG_VERSION}.",
                    "Train again with this version, or use the one that trained the run.",
                )
            return RunConfig.model_validate_json(text)
        except OSError as error:
            raise RbnnError(
                f"{self.folder} is not a run folder: cannot read {self.config_file.name} "
                f"({error.strerror}).",
                "Name a folder that `rbnn train` made.",
            ) from error
        except ValidationError as error:
            raise RbnnError(
                f"{self.config_file} is not a run of this version: {first_problem(error)}.",
                "Train again with this version.",
            ) from error

    def write_config(self, config: RunConfig) -> None:
        """Write ``config.json``, which holds class names; the folder becomes private."""
        make_private_folder(self.folder)
        text = config.model_dump_json(indent=2) + "\n"
        write_atomic(self.config_file, text, mode=PRIVATE)

    def secrets(self) -> dict[str, bytes]:
        """Task secrets S_t, 32 bytes each, by task name.

        Raises:
            RbnnError: the file is missing or damaged.
        """
        try:
            raw = json.loads(self.secrets_file.read_text())
            secrets = {str(name): bytes.fromhex(value) for name, value in raw.items()}
            if any(len(secret) != 32 for secret in secrets.values()):
                raise ValueError("a task secret has 32 bytes")
            return secrets
        except (OSError, ValueError, AttributeError, TypeError) as error:
            raise RbnnError(
                f"Cannot read the task secrets {self.secrets_file}.",
                "Without them the stored bits are noise: restore the file from your backup.",
            ) from error

    def write_secrets(self, secrets: dict[str, bytes]) -> None:
        """Write the task secrets, readable only by their owner."""
        make_private_folder(self.secrets_file.parent)
        text = json.dumps({name: secret.hex() for name, secret in secrets.items()}, indent=2)
        write_atomic(self.secrets_file, text + "\n", mode=PRIVATE)


def _version(text: bytes) -> object:
    """The format's number in ``config.json``; None where it cannot be read."""
    try:
        document = json.loads(text)
    except ValueError:
        return None
    return document.get("version") if isinstance(document, dict) else None


def new_run(root: Path, tasks: Sequence[str], today: date) -> Run:
    """Make an empty run folder, named by date and tasks: ``2026-11-21-cifar-kws``, then ``...-2``.

    Args:
        root: folder of all runs; made when missing.
        tasks: task names.
        today: the date in the name.

    Raises:
        RbnnError: the folder cannot be made.
    """
    name = "-".join((today.isoformat(), *tasks))
    try:
        root.mkdir(parents=True, exist_ok=True)
        for number in itertools.count(1):
            folder = root / (name if number == 1 else f"{name}-{number}")
            try:
                folder.mkdir(mode=0o700)
            except FileExistsError:
                continue
            return Run(folder)
    except OSError as error:
        raise RbnnError(
            f"Cannot make a run folder in {root}: {error.strerror}.",
            "Choose another place with --out FOLDER.",
        ) from error
    raise AssertionError("unreachable: the count has no end")


def newest_run(root: Path) -> Run:
    """The run below ``root`` whose parameters were written last.

    Raises:
        RbnnError: there is none.
    """
    runs = [Run(file.parent) for file in root.glob("*/parameters.npz")]
    if not runs:
        raise RbnnError(
            f"No trained run in {root}.", "Train one with: rbnn train --tasks digits,words"
        )
    return max(runs, key=lambda run: run.parameters_file.stat().st_mtime_ns)


def choose_run(name: Path | None, runs: Path) -> Run:
    """The run that a command means.

    Args:
        name: a run folder, or its name below ``runs``; None for the newest one.
        runs: folder of all runs.

    Raises:
        RbnnError: there is no such run, or its configuration cannot be read.
    """
    if name is None:
        run = newest_run(runs)
    else:
        is_path = os.path.exists(name) or len(name.parts) > 1
        run = Run(name if is_path else runs / name)
    run.config()
    return run
