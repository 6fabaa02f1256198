"""The description of an export: ``manifest.json`` next to the container."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from rbnn.container.container import Container
from rbnn.container.errors import ExportError
from rbnn.container.shapes import params_bytes
from rbnn.container.sizes import Sizes, measure
from rbnn.errors import RbnnError
from rbnn.frozen import Frozen
from rbnn.runs.run import Run


class LayerEntry(Frozen):
    """One row of the layer table, in readable form."""

    number: int
    op: str
    input: tuple[int, int, int]
    output: tuple[int, int, int]
    kernel: int
    stride: int
    pad: int
    pool: int
    stage: str
    source: int
    shortcut: int | None
    bits: int
    macs: int
    weights_bytes: int
    params_bytes: int


class TaskEntry(Frozen):
    """One task; ``golden`` is its number of golden vectors."""

    number: int
    name: str
    classes: int
    labels: tuple[str, ...]
    golden: int


class Manifest(Frozen):
    """``manifest.json``; class names are secret where the container's are. ``source_sha256``
    identifies what it was made from."""

    version: Literal[2] = 2
    model_id: str
    model_digest: str
    provider_public: str
    architecture: str
    bits: int
    macs: int
    layers: tuple[LayerEntry, ...]
    tasks: tuple[TaskEntry, ...]
    sizes: Sizes
    source_sha256: str


def source_sha256(run: Run) -> str:
    """SHA-256 over a run's ``config.json`` and ``parameters.npz``, as hex.

    Raises:
        ExportError: one of them cannot be read.
    """
    digest = hashlib.sha256()
    try:
        for path in (run.config_file, run.parameters_file):
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    except OSError as error:
        raise ExportError(
            f"Cannot read {error.filename}: {error.strerror}.",
            "Train to the end of an epoch first: rbnn train --resume RUN",
        ) from error
    return digest.hexdigest()


def make_manifest(
    container: Container, labels: tuple[tuple[str, ...], ...], golden: tuple[int, ...], source: str
) -> Manifest:
    """The manifest of a container.

    Args:
        container: the model.
        labels: class names of each task.
        golden: number of golden vectors of each task.
        source: see :func:`source_sha256`.
    """
    topology = container.topology
    return Manifest(
        model_id=container.model_id.hex(),
        model_digest=container.digest.hex(),
        provider_public=container.provider_public.hex(),
        architecture=topology.architecture,
        bits=topology.bits,
        macs=topology.macs,
        layers=tuple(
            LayerEntry(
                number=number,
                op=layer.op.name,
                input=layer.in_shape,
                output=layer.out_shape,
                kernel=layer.kernel,
                stride=layer.stride,
                pad=layer.pad,
                pool=layer.pool,
                stage=layer.stage.name.lower(),
                source=layer.source,
                shortcut=layer.shortcut,
                bits=layer.bits,
                macs=layer.macs,
                weights_bytes=container.plan.placements[number].weights_bytes,
                params_bytes=params_bytes(layer),
            )
            for number, layer in enumerate(topology.layers)
        ),
        tasks=tuple(
            TaskEntry(
                number=number,
                name=task.name,
                classes=task.classes,
                labels=labels[number],
                golden=golden[number],
            )
            for number, task in enumerate(container.tasks)
        ),
        sizes=measure(container),
        source_sha256=source,
    )


def read_manifest(path: Path) -> Manifest:
    """Read ``manifest.json``.

    Raises:
        RbnnError: missing, damaged or of another version.
    """
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except OSError as error:
        raise RbnnError(
            f"Cannot read {path}: {error.strerror}.", "Export first: rbnn export RUN"
        ) from error
    except ValidationError as error:
        raise RbnnError(
            f"{path} is not a manifest of this version.", "Export again: rbnn export RUN"
        ) from error
