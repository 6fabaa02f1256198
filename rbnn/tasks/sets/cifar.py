"""CIFAR-10 from its author's archive, 50,000 / 10,000 images of 32x32 pixels, 163 MiB.

Source: A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009;
https://www.cs.toronto.edu/~kriz/cifar.html, which gives the archive's MD5.
"""

from __future__ import annotations

import io
import pickle
import tarfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rbnn.tasks.cache import Decoded
from rbnn.tasks.dataset import Split
from rbnn.tasks.download import Remote
from rbnn.tasks.errors import TaskError
from rbnn.tasks.form import USUAL, Sides
from rbnn.tasks.picture import fit
from rbnn.tasks.sets.published import Published

Progress = Callable[[str, int, int], None]
TRAIN_MEMBERS = tuple(f"data_batch_{number}" for number in range(1, 6))
_ALLOWED = {
    ("numpy.core.multiarray", "_reconstruct"): np.core.multiarray._reconstruct,  # type: ignore[attr-defined]
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("_codecs", "encode"): lambda text, _: text.encode("latin-1"),
}


class _ArraysOnly(pickle.Unpickler):
    """Builds only arrays and plain values; refuses anything else that a pickle could run."""

    def find_class(self, module: str, name: str) -> Any:
        try:
            return _ALLOWED[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"{module}.{name} is not an array") from None


def _member(archive: tarfile.TarFile, name: str) -> dict[bytes, Any]:
    stream = archive.extractfile(f"cifar-10-batches-py/{name}")
    if stream is None:
        raise KeyError(name)
    value = _ArraysOnly(io.BytesIO(stream.read()), encoding="bytes").load()
    if not isinstance(value, dict):
        raise ValueError(f"{name} is not a table")
    return value


def _split(
    archive: tarfile.TarFile, names: tuple[str, ...], progress: Progress | None, sides: Sides
) -> Split:
    images, labels = [], []
    for number, name in enumerate(names):
        batch = _member(archive, name)
        planes = np.asarray(batch[b"data"], dtype=np.uint8).reshape(-1, 3, *USUAL)
        pictures = np.ascontiguousarray(planes.transpose(0, 2, 3, 1))
        if sides != USUAL:
            pictures = np.stack([fit(picture, sides) for picture in pictures])
        images.append(pictures)
        labels.append(np.asarray(batch[b"labels"], dtype=np.int64))
        if progress is not None:
            progress("reading CIFAR-10", number + 1, len(names))
    return Split(np.concatenate(images), np.concatenate(labels))


def read_archives(
    paths: Sequence[Path], progress: Progress | None = None, sides: Sides = USUAL
) -> Decoded:
    """Decode ``cifar-10-python.tar.gz``.

    Raises:
        TaskError: the archive is not that file.
    """
    (path,) = paths
    try:
        with tarfile.open(path, "r:gz") as archive:
            names = _member(archive, "batches.meta")[b"label_names"]
            return Decoded(
                tuple(name.decode() for name in names),
                _split(archive, TRAIN_MEMBERS, progress, sides),
                _split(archive, ("test_batch",), progress, sides),
                "image",
            )
    except (
        OSError, EOFError, KeyError, ValueError, TypeError, AttributeError, zlib.error,
        tarfile.TarError, pickle.UnpicklingError,
    ) as error:  # fmt: skip
        raise TaskError(
            f"{path} is not the CIFAR-10 archive: {error}.", "Delete it and run the command again."
        ) from error


SET = Published(
    (
        Remote(
            "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
            "md5",
            "c58f30108f718f92721af3b95e74349a",
            "cifar",
            170_498_071,
        ),
    ),
    "CIFAR-10, official split, from www.cs.toronto.edu/~kriz",
    {"task": "cifar 1"},
    read_archives,
)
