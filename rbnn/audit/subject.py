"""What is audited: a run, an export or a packed model, its secrets, and samples to try."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from rbnn.audit.deployed import Deployed
from rbnn.audit.errors import AuditError
from rbnn.container.container import Container
from rbnn.container.parse import parse
from rbnn.errors import RbnnError
from rbnn.export.export import Export
from rbnn.export.integer_predictor import current_container
from rbnn.export.manifest import source_sha256
from rbnn.export.packed import MODEL_FILE, SECRETS_FILE, PackedModel
from rbnn.runs.config import RunConfig
from rbnn.runs.run import Run, choose_run
from rbnn.runs.start import load_data
from rbnn.spec.key_stream import SECRET_BYTES
from rbnn.tasks import Split, TaskData
from rbnn.tasks.dataset import Kind
from rbnn.tasks.load import Progress, load
from rbnn.tasks.names import KNOWN, TaskSpec

CONTAINER_FILE = "container.bin"
FOLDER = "audit"
FEWEST_SAMPLES = 40
"""Of clean samples: with fewer, no share says anything."""


@dataclass(frozen=True)
class AuditedTask:
    """One task.

    Args:
        name: in the container.
        labels: class names, or their numbers where those are sealed.
        kind: what its samples are made from.
        data: its samples; None if they are not available.
        missing: why not.
        trusted: whether the user named the samples as clean ones of his own: then there is no
            training data to scan.
    """

    name: str
    labels: tuple[str, ...]
    kind: Kind
    data: TaskData | None
    missing: str | None = None
    trusted: bool = False

    @property
    def seed(self) -> int:
        """Of everything random in its audit: the same model gives the same audit."""
        return zlib.crc32(self.name.encode())

    @cached_property
    def halves(self) -> tuple[Split, Split]:
        """Held-out samples, to search with and to measure with; no sample is in both."""
        assert self.data is not None
        split = self.data.test
        order = np.random.default_rng((self.seed, 1)).permutation(len(split))
        middle = len(split) // 2
        first, second = (
            Split(split.images[part], split.labels[part])
            for part in (order[:middle], order[middle:])
        )
        return first, second

    @property
    def too_few(self) -> str | None:
        """Why nothing can be tried; None if something can."""
        if self.data is None:
            return self.missing or "no samples"
        if len(self.data.test) < FEWEST_SAMPLES:
            return f"only {len(self.data.test)} clean samples; {FEWEST_SAMPLES} are needed"
        return None


@dataclass(frozen=True)
class Subject:
    """A model to be audited.

    Args:
        name: for people to read.
        form: ``run``, ``export`` or ``packed``.
        deployed: its integers.
        secrets: by task name, 32 bytes each.
        tasks: those to audit, in the model's order.
        run: where latent weights are at hand.
        source: SHA-256 of the run's files; None without a run.
    """

    name: str
    form: str
    deployed: Deployed
    secrets: Mapping[str, bytes]
    tasks: tuple[AuditedTask, ...]
    run: Run | None
    source: str | None

    @property
    def folder(self) -> Path:
        """Where its report is written, unless the user names another folder."""
        if self.run is not None:
            return self.run.folder / FOLDER
        return Path(FOLDER) / Path(self.name).resolve().name

    @property
    def container(self) -> Container:
        """What is flashed."""
        return self.deployed.container


@dataclass(frozen=True)
class _Model:
    """What a path holds, before any samples are read."""

    form: str
    container: Container
    secrets: Mapping[str, bytes]
    labels: Mapping[str, tuple[str, ...]]
    config: RunConfig | None
    run: Run | None


def open_subject(
    path: Path | None,
    runs: Path,
    *,
    names: Sequence[str] = (),
    samples: Sequence[TaskSpec] = (),
    secrets_file: Path | None = None,
    progress: Progress | None = None,
) -> Subject:
    """Open what a user names.

    Args:
        path: a run or its name below ``runs``, an export or its ``container.bin``, a packed model;
            None for the newest run.
        runs: folder of all runs.
        names: tasks to audit; empty for all.
        samples: clean samples of the user's own, by task.
        secrets_file: task secrets as a run has them, for an export without its run.
        progress: told of what takes long.

    Raises:
        AuditError: there is no such model or task, or no secret opens it.
        RbnnError: something is damaged.
    """
    model = _find(path, runs, secrets_file)
    known = [task.name for task in model.container.tasks]
    given = {spec.name: spec for spec in samples}
    for name in (*names, *given):
        if name not in known:
            raise AuditError(
                f"{path or 'The run'} has no task {name!r}.", f"It has: {', '.join(known)}."
            )
    chosen = [name for name in known if not names or name in names]
    for name in chosen:
        if name not in model.secrets:
            raise AuditError(
                f"No secret of task {name} is at hand.",
                "Name the tasks that it opens with --task, or a file with more: --secrets FILE.",
            )
    title = "newest run" if path is None else str(path)
    if model.run is not None:
        title = model.run.folder.resolve().name
    return Subject(
        name=title,
        form=model.form,
        deployed=Deployed(model.container, model.secrets),
        secrets=model.secrets,
        tasks=tuple(_task(model, name, given.get(name), progress) for name in chosen),
        run=model.run,
        source=None if model.run is None else source_sha256(model.run),
    )


def _find(path: Path | None, runs: Path, secrets_file: Path | None) -> _Model:
    if path is not None and (path / MODEL_FILE).is_file() and (path / SECRETS_FILE).is_file():
        packed = PackedModel.read(path)
        labels = {task.name: task.labels for task in packed.document.tasks}
        return _Model("packed", packed.container, packed.secrets(), labels, None, None)
    if path is not None and path.is_file() and path.name != CONTAINER_FILE:
        raise AuditError(
            f"{path} is a file; of files, only an export's {CONTAINER_FILE} can be audited.",
            f"Name a run, an export folder, its {CONTAINER_FILE} or a packed model's folder.",
        )
    folder = path.parent if path is not None and path.name == CONTAINER_FILE else path
    if folder is not None and (folder / CONTAINER_FILE).is_file():
        return _find_export(folder, secrets_file)
    try:
        run = choose_run(path, runs)
        container = current_container(run)
    except RbnnError as error:
        raise AuditError(
            error.what, error.fix or "Name a run, an export folder or a packed model."
        ) from error
    config = run.config()
    secrets = run.secrets() if secrets_file is None else read_secrets(secrets_file)
    labels = {task.name: task.labels for task in config.tasks}
    return _Model("run", container, secrets, labels, config, run)


def _find_export(folder: Path, secrets_file: Path | None) -> _Model:
    labels: dict[str, tuple[str, ...]] = {}
    config: RunConfig | None = None
    run: Run | None = None
    if (folder / "manifest.json").is_file():
        export = Export.read(folder)
        container = export.container
        labels = {task.name: task.labels for task in export.manifest.tasks}
        beside = Run(folder.parent)
        if beside.config_file.is_file() and source_sha256(beside) == export.manifest.source_sha256:
            run, config = beside, beside.config()
    else:
        container = parse((folder / CONTAINER_FILE).read_bytes())
    if secrets_file is not None:
        secrets: Mapping[str, bytes] = read_secrets(secrets_file)
    elif run is not None:
        secrets = run.secrets()
    else:
        raise AuditError(
            f"{folder} holds a sealed model, and no secret that opens it.",
            "Name a file with the task secrets: --secrets FILE (of a run: secrets/secrets.json).",
        )
    return _Model("export", container, secrets, labels, config, run)


def read_secrets(path: Path) -> dict[str, bytes]:
    """Task secrets by name, from a run's ``secrets.json`` or a packed model's.

    Raises:
        AuditError: the file cannot be read, or holds something else.
    """
    try:
        raw = json.loads(path.read_bytes())
        raw = raw.get("secrets", raw)
        secrets = {str(name): bytes.fromhex(value) for name, value in raw.items()}
        if any(len(secret) != SECRET_BYTES for secret in secrets.values()):
            raise ValueError
    except (OSError, ValueError, AttributeError, TypeError, RecursionError) as error:
        raise AuditError(
            f"{path} holds no task secrets.",
            'It is a JSON object, {"TASK": "64 hex digits", ...}, as in a run\'s secrets folder.',
        ) from error
    return secrets


def _task(model: _Model, name: str, own: TaskSpec | None, progress: Progress | None) -> AuditedTask:
    sealed = model.container.tasks[model.container.task_number(name)]
    kind: Kind = "audio" if sealed.takes_sound else "image"
    labels = model.labels.get(name, tuple(str(number) for number in range(sealed.classes)))
    try:
        if own is not None:
            data = load(own, progress=progress)
        elif model.config is not None:
            (entry,) = (task for task in model.config.tasks if task.name == name)
            (data,) = load_data(model.config.model_copy(update={"tasks": (entry,)}), progress)
        elif name in KNOWN:
            data = load(name, progress=progress)
        else:
            raise AuditError(
                f"The samples of task {name} are not known.", f"Name them: --samples {name}=PATH"
            )
    except RbnnError as error:
        if own is not None:  # what the user has named must be there
            raise AuditError(error.what, error.fix) from error
        return AuditedTask(name, labels, kind, None, str(error))
    if len(data.labels) != sealed.classes or (data.kind == "audio") != sealed.takes_sound:
        missing = (
            f"{data.origin} has {len(data.labels)} classes of {data.kind}; the task has "
            f"{sealed.classes} of {kind}."
        )
        return AuditedTask(name, labels, kind, None, missing)
    return AuditedTask(name, labels, data.kind, data, trusted=own is not None)
