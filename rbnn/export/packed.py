"""Packed models: an exported container with its published secrets, to be flashed without training.

::

    models/seven/
        container.bin            the model container (SPEC.md); its provider key is published, too
        golden.npz               golden vectors: what the probes must give on every computer
        TEST-ONLY-secrets.json   the task secrets: they protect nothing
        model.json               a description, with the files' SHA-256; written last
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from pydantic import JsonValue, ValidationError

from rbnn.container.build import with_benchmarks
from rbnn.container.container import Container
from rbnn.container.parse import parse
from rbnn.engine import golden
from rbnn.export.carray import write_c
from rbnn.export.errors import PackedModelError
from rbnn.export.export import Export
from rbnn.export.manifest import make_manifest
from rbnn.files import write_atomic
from rbnn.frozen import Frozen, first_problem
from rbnn.nets.topology import Shape
from rbnn.places import is_installed, shipped_model
from rbnn.spec.link import Benchmark

SHIPPED = shipped_model()
"""The seven-task model that rbnn ships."""
CONTAINER_FILE = "container.bin"
GOLDEN_FILE = "golden.npz"
SECRETS_FILE = "TEST-ONLY-secrets.json"
MODEL_FILE = "model.json"
FILES = (CONTAINER_FILE, GOLDEN_FILE, SECRETS_FILE)
WARNING = "TEST-ONLY keys: published, refused unless --test-only is said, they protect nothing"


class PackedTask(Frozen):
    """One task of a packed model, and what it reached when it was packed.

    ``fingerprint`` is the SHA-256 of the data that it was trained and measured on. ``accuracy``
    is that of the integers over the whole test set, ``keras_accuracy`` Keras', ``agreement`` the
    share of samples for which both find the same class; None if Keras was not run.
    """

    name: str
    labels: tuple[str, ...]
    input_channels: int
    fingerprint: str
    test_samples: int
    accuracy: float
    keras_accuracy: float | None
    agreement: float | None


class PackedDocument(Frozen):
    """``model.json``. ``training`` is the run's configuration without its tasks; nothing reads it.
    ``files`` gives the SHA-256 of every other file."""

    version: Literal[1] = 1
    warning: str = WARNING
    architecture: str
    bits: int
    model_digest: str
    tasks: tuple[PackedTask, ...]
    training: dict[str, JsonValue]
    files: dict[str, str]


@dataclass(frozen=True)
class PackedModel:
    """A packed model on disk, read and checked.

    Args:
        folder: that holds it.
        document: ``model.json``.
        container: ``container.bin``.
        golden: ``golden.npz``, by task name.
    """

    folder: Path
    document: PackedDocument
    container: Container
    golden: Mapping[str, golden.Golden]

    @classmethod
    def read(cls, folder: Path) -> PackedModel:
        """Read a packed model.

        Raises:
            PackedModelError: a file is missing or damaged, or they do not belong together.
        """
        _require_folder(folder)
        document = _read_document(folder)
        contents = {name: _read(folder / name) for name in FILES}
        for name, data in contents.items():
            if hashlib.sha256(data).hexdigest() != document.files.get(name):
                raise PackedModelError(
                    f"{folder / name} is damaged: its SHA-256 is not the one in {MODEL_FILE}.",
                    _how_to_restore(folder),
                )
        container = parse(contents[CONTAINER_FILE])
        vectors = golden.load(folder / GOLDEN_FILE)
        described = [(task.name, len(task.labels)) for task in document.tasks]
        if (
            container.digest.hex() != document.model_digest
            or not container.is_test_only
            or [(task.name, task.classes) for task in container.tasks] != described
            or list(vectors) != [task.name for task in document.tasks]
        ):
            raise PackedModelError(
                f"The files in {folder} do not belong together.", _how_to_restore(folder)
            )
        return cls(folder, document, container, vectors)

    def secrets(self) -> dict[str, bytes]:
        """The published task secrets, 32 bytes each, by task name.

        Raises:
            PackedModelError: they cannot be read.
        """
        path = self.folder / SECRETS_FILE
        try:
            secrets = json.loads(_read(path))["secrets"]
            return {task.name: bytes.fromhex(secrets[task.name]) for task in self.document.tasks}
        except (ValueError, KeyError, TypeError) as error:
            raise PackedModelError(
                f"{path} holds no task secrets.", _how_to_restore(self.folder)
            ) from error

    def input_shape(self, task: PackedTask) -> Shape:
        """Height, width and channels of a task's own input."""
        height, width, _ = self.container.topology.input_shape
        return height, width, task.input_channels

    def with_benchmarks(self, benchmarks: Mapping[str, Benchmark]) -> PackedModel:
        """The same model whose tasks stand for these benchmarks of MLPerf Tiny; its files stay as
        they are.

        Raises:
            ExportError: the model has no such task.
        """
        named = with_benchmarks(self.container, benchmarks)
        document = self.document.model_copy(update={"model_digest": named.digest.hex()})
        return replace(self, container=named, document=document)

    def lay_out(self, folder: Path) -> Export:
        """Write the export folder that a build is made from.

        Raises:
            RbnnError: it cannot be written.
        """
        manifest = make_manifest(
            self.container,
            tuple(task.labels for task in self.document.tasks),
            tuple(len(self.golden[task.name].images) for task in self.document.tasks),
            hashlib.sha256(_read(self.folder / MODEL_FILE)).hexdigest(),
        )
        export = Export(folder, self.container, manifest)
        write_atomic(export.container_file, self.container.data)
        write_atomic(export.golden_file, _read(self.folder / GOLDEN_FILE))
        write_c(self.container, folder)
        write_atomic(folder / "manifest.json", manifest.model_dump_json(indent=2) + "\n")
        return export


def refuse_unasked(folder: Path | None, instead: str = "rbnn flash {} --test-only") -> None:
    """Refuse a packed model where a run is expected.

    Args:
        folder: what was named.
        instead: the command that takes it; ``{}`` stands for the folder.

    Raises:
        PackedModelError: ``folder`` is one.
    """
    if folder is not None and (folder / MODEL_FILE).is_file() and (folder / SECRETS_FILE).is_file():
        raise PackedModelError(
            f"{folder} is a packed model; its keys are TEST-ONLY: published, they protect nothing.",
            f"For a test: {instead.format(folder)}",
        )


def _require_folder(folder: Path) -> None:
    if folder.is_dir():
        return
    if folder == SHIPPED:
        raise PackedModelError(
            f"The seven-task model is not installed: there is no folder {folder}.",
            _how_to_restore(folder),
        )
    raise PackedModelError(
        f"There is no packed model {folder}.",
        f"Name a folder that holds {MODEL_FILE}, or omit the name for the shipped model.",
    )


def _read_document(folder: Path) -> PackedDocument:
    path = folder / MODEL_FILE
    try:
        return PackedDocument.model_validate_json(_read(path))
    except ValidationError as error:
        raise PackedModelError(
            f"{path} does not describe a packed model of this version: {first_problem(error)}.",
            _how_to_restore(folder),
        ) from error


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise PackedModelError(
            f"Cannot read {path}: {error.strerror}.", _how_to_restore(path.parent)
        ) from error


def _how_to_restore(folder: Path) -> str:
    if folder == SHIPPED and is_installed():
        return "Install rbnn's wheel again: pip install --force-reinstall --no-deps WHEEL"
    return f"Restore it: git checkout -- {folder}; or pack a run: make seven RUN=FOLDER."
