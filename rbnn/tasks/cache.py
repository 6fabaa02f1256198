"""Decoded sets on disk, so that the second run starts immediately.

They are in :func:`rbnn.places.cache_folder`, in ``decoded/<key>.npz`` and ``downloads/``; all of it
can be deleted at any time.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import get_args

import numpy as np

from rbnn.files import PRIVATE, write_atomic
from rbnn.places import CACHE_VARIABLE
from rbnn.spec.series import Series
from rbnn.tasks.dataset import Kind, Split

_KINDS: dict[str, Kind] = {kind: kind for kind in get_args(Kind)}


@dataclass(frozen=True)
class Decoded:
    """What a reader or generator returns: a task's data without its name."""

    labels: tuple[str, ...]
    train: Split
    test: Split
    kind: Kind
    series: Series | None = None


def recipe_key(recipe: Mapping[str, object]) -> str:
    """SHA-256 of everything that the decoded data depend on, as hex."""
    text = json.dumps(recipe, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _file(folder: Path, key: str) -> Path:
    return folder / "decoded" / f"{key}.npz"


def holds(folder: Path, key: str) -> bool:
    """Whether something is stored under ``key``."""
    return _file(folder, key).is_file()


def read(folder: Path, key: str) -> Decoded | None:
    """The set stored under ``key``, or None if there is none or its file is damaged."""
    try:
        with np.load(_file(folder, key), allow_pickle=False) as arrays:
            return Decoded(
                labels=tuple(str(label) for label in arrays["labels"]),
                train=Split(arrays["train_images"], arrays["train_labels"]),
                test=Split(arrays["test_images"], arrays["test_labels"]),
                kind=_KINDS[str(arrays["kind"])],
                series=_series(str(arrays["series"])) if "series" in arrays else None,
            )
    except Exception:  # whatever a damaged zip raises: the set is made again
        return None


def _series(text: str) -> Series:
    found = json.loads(text)
    lists = {name: tuple(found[name]) for name in ("means", "factors")}
    return Series(**{**found, **lists})


def store(folder: Path, key: str, decoded: Decoded) -> None:
    """Write a set under ``key``, completely or not at all.

    Raises:
        RbnnError: the cache folder cannot be written.
    """
    buffer = io.BytesIO()
    series = decoded.series
    np.savez(
        buffer,
        **({} if series is None else {"series": np.array(json.dumps(asdict(series)))}),
        labels=np.array(decoded.labels),
        kind=np.array(decoded.kind),
        train_images=decoded.train.images,
        train_labels=decoded.train.labels,
        test_images=decoded.test.images,
        test_labels=decoded.test.labels,
    )
    # The user's own data and class names, which a container seals.
    data = buffer.getvalue()
    write_atomic(_file(folder, key), data, mode=PRIVATE, folder_option=CACHE_VARIABLE)
