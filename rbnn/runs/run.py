"""The run folder: what training writes and every later room reads.

::

    runs/2026-11-21-digits-words/
        config.json        RunConfig: tasks, architecture, seed, schedule
        metrics.json       accuracy and loss per task and epoch
        parameters.npz     ModelParameters, written when an epoch ends
        checkpoints/       TensorFlow checkpoints, for --resume; no secrets
        tensorboard/       the same figures for TensorBoard
        secrets/           mode 0700: secrets.json (mode 0600), the task secrets and nothing else
        baseline/<task>/   single-task networks, where --baseline trained them
        export/            what `rbnn export` writes
"""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from rbnn.errors import RbnnError
from rbnn.files import write_atomic
from rbnn.frozen import Frozen
from rbnn.nets.architectures import lay_out
from rbnn.nets.topology import Shape, Topology
from rbnn.spec.layout import Adapter, Cipher

CONFIG_VERSION = 3
"""2: depth and cipher; the bits are packed, and so keyed, in another order than in 1. 3: stages,
sub-batches of the tasks' own, precision, distillation."""


CipherName = Literal["chacha20", "chacha12", "chacha8"]
Precision = Literal["float32", "bfloat16"]
Scheme = Literal["xor", "sign", "permute", "none"]


class RunTask(Frozen):
    """One task of a run.

    ``offsets`` are subtracted from each of the network's input channels (integers, the training
    set's rounded channel means); ``source`` is the spec with which ``rbnn.tasks.load`` finds the
    data again, ``fingerprint`` the SHA-256 that tells whether they are the same. ``batch`` is how
    many of its samples every step has. ``teacher`` is the run folder of the task's own network,
    seen from this run's folder: the shared one learns from it, too.
    """

    name: str
    labels: tuple[str, ...]
    input_channels: int
    adapter: Adapter
    offsets: tuple[int, ...]
    source: str
    fingerprint: str = ""
    batch: int = 64
    teacher: str | None = None


class Distillation(Frozen):
    """How a network learns from its teachers' answers as well as from labels.

    The loss is ``(1 - weight) * cross_entropy + weight * temperature**2 * KL(teacher || student)``,
    both distributions softened by ``temperature``.

    Source: Hinton, Vinyals, Dean, "Distilling the Knowledge in a Neural Network", arXiv 1503.02531,
    section 2.
    """

    weight: float
    temperature: float


class RunConfig(Frozen):
    """``config.json``: everything needed to build the network again, nothing secret.

    ``depth`` and ``stages`` are as ``rbnn.nets.architectures`` has them for the architecture;
    ``cipher`` is the name of the key stream's. ``batch``, ``sampling`` and ``shares`` are what the
    tasks' sub-batches follow from and ``weights`` how much each task counts, see
    ``rbnn.runs.start.Settings``. ``trunk``: so many layers with bits, the stem first, have one key
    for all tasks. ``precision`` is that of the binary convolutions while training.
    ``superpose``: it begins with its teachers, see ``rbnn.train.superpose``; ``distill``: it learns
    from their answers. An epoch is ``steps_per_epoch`` steps. The run ends after ``epochs`` epochs,
    or ``steps`` steps, or ``minutes`` of training, whichever is set and comes first. ``baseline``:
    whether single-task networks are trained too.
    """

    version: int = CONFIG_VERSION
    tasks: tuple[RunTask, ...]
    architecture: str
    width: int
    depth: int
    stages: int | None = None
    input_shape: Shape
    scheme: Scheme
    cipher: CipherName = "chacha20"
    model_id: str
    seed: int
    epochs: int | None
    learning_rate: float
    batch: int = 64
    sampling: float = 0.0
    shares: dict[str, float] = {}
    weights: dict[str, float] = {}
    precision: Precision = "float32"
    trunk: int = 0
    superpose: bool = False
    distill: Distillation | None = None
    steps_per_epoch: int = 1
    steps: int | None = None
    minutes: float | None = None
    baseline: bool = False

    def progress(self, steps: int, seconds: float) -> float:
        """Share of the run that is done: 1 or more at its end.

        Args:
            steps: taken so far.
            seconds: spent so far.
        """
        shares = [0.0]
        if self.epochs is not None:
            shares.append(steps / (self.epochs * self.steps_per_epoch))
        if self.steps is not None:
            shares.append(steps / self.steps)
        if self.minutes is not None:
            shares.append(seconds / (60 * self.minutes))
        return max(shares)

    @property
    def taught(self) -> bool:
        """Whether the tasks have teachers, whose training comes first."""
        return self.superpose or self.distill is not None

    def weight(self, task: str) -> float:
        """How much the task counts beside the others."""
        return self.weights.get(task, 1.0)

    @property
    def planned_steps(self) -> int | None:
        """Steps that the run takes; None where its time decides."""
        planned = [] if self.epochs is None else [self.epochs * self.steps_per_epoch]
        planned += [] if self.steps is None else [self.steps]
        return None if self.minutes is not None or not planned else min(planned)

    @property
    def max_classes(self) -> int:
        """Outputs of the shared last layer."""
        return max(len(task.labels) for task in self.tasks)

    def topology(self) -> Topology:
        """The network of this run."""
        return lay_out(
            self.architecture,
            self.input_shape,
            self.max_classes,
            self.width,
            self.depth,
            self.stages,
        )

    @property
    def key_cipher(self) -> Cipher:
        """The cipher of the key stream, as the container has it."""
        return Cipher[self.cipher.upper()]


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
                f"{self.config_file} is not a run of this version: "
                f"{error.errors()[0]['loc']}: {error.errors()[0]['msg']}.",
                "Train again with this version.",
            ) from error

    def write_config(self, config: RunConfig) -> None:
        """Write ``config.json``."""
        write_atomic(self.config_file, config.model_dump_json(indent=2) + "\n")

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
        """Write the task secrets, readable by their owner alone."""
        self.secrets_file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        text = json.dumps({name: secret.hex() for name, secret in secrets.items()}, indent=2)
        write_atomic(self.secrets_file, text + "\n", mode=0o600)


def _version(text: bytes) -> object:
    """The format's number in ``config.json``; None where there is none to be read."""
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
                folder.mkdir()
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
        RbnnError: there is none, or its configuration cannot be read.
    """
    if name is None:
        run = newest_run(runs)
    else:
        is_path = name.exists() or len(name.parts) > 1
        run = Run(name if is_path else runs / name)
    run.config()
    return run
