"""A Keras model's file, checked: what Keras reads is a copy that is rebuilt from what is admitted.

Keras 2 decides by a file's name how to read it, imports what the file names, and HDF5 can have
other files read. So the file is read once, its kind told by its first bytes, and Keras gets a new
file that holds the description (:mod:`rbnn.train.foreign.config`) and the weights only.
"""

from __future__ import annotations

import io
import json
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py

from rbnn.runs.errors import TrainingError
from rbnn.train.foreign.config import Admitted, checked_config
from rbnn.train.foreign.lite_file import is_lite
from rbnn.train.foreign.refusals import no_model

HDF5 = b"\x89HDF\r\n\x1a\n"
ZIP = b"PK\x03\x04"
LARGEST_FILE = 1 << 31
LARGEST_RATIO = 20
"""Bytes of weights for each byte of the file: more is a bomb."""
SMALL = 1 << 20
"""Bytes that any file may have in spite of it."""
MOST_OBJECTS = 100_000
CONFIG, WEIGHTS = "config.json", "model.weights.h5"
NUMBERS = "fiubV"
"""Kinds of numpy types that weights have; bfloat16 is one of V."""


def read_file(path: Path) -> bytes:
    """A model's file.

    Raises:
        TrainingError: it cannot be read, or is larger than any teacher.
    """
    try:
        if not path.is_file():
            raise FileNotFoundError(f"it {'is a folder' if path.is_dir() else 'is no file'}")
        if path.stat().st_size > LARGEST_FILE:
            raise no_model(path, "Keras", "it is larger than 2 GiB")
        return path.read_bytes()
    except OSError as error:
        raise no_model(path, "Keras", error.strerror or error) from error


@contextmanager
def rebuilt(path: Path, admitted: Admitted) -> Iterator[Path]:
    """A private copy of a model's file with nothing in it that is not admitted.

    Args:
        path: of the file, of any name.
        admitted: its layers.

    Raises:
        TrainingError: it is no such model.
    """
    data = read_file(path)
    with tempfile.TemporaryDirectory() as folder:
        try:
            if data.startswith(HDF5):
                made = _rebuild_hdf5(data, Path(folder), path, admitted)
            elif data.startswith(ZIP):
                made = _rebuild_zip(data, Path(folder), path, admitted)
            else:
                lite = "it is one of TensorFlow Lite"
                none = "it begins as none of HDF5, .keras and TensorFlow Lite"
                raise no_model(path, "Keras", lite if is_lite(data) else none)
        except TrainingError:
            raise
        except Exception as error:  # whatever a damaged file raises
            raise no_model(path, "Keras", error) from error
        yield made


def _rebuild_hdf5(data: bytes, folder: Path, path: Path, admitted: Admitted) -> Path:
    made = folder / "model.h5"
    made.write_bytes(data)
    with h5py.File(made, "r+") as file:
        _check_hdf5(file, path, len(data))
        if "model_config" not in file.attrs:
            raise no_model(path, "Keras", "it holds weights without a model")
        config = checked_config(file.attrs["model_config"], path, admitted)
        file.attrs["model_config"] = json.dumps(config)
        if "training_config" in file.attrs:
            del file.attrs["training_config"]
    return made


def _rebuild_zip(data: bytes, folder: Path, path: Path, admitted: Admitted) -> Path:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        unpacked = sum(archive.getinfo(name).file_size for name in (CONFIG, WEIGHTS))
        if unpacked > _most(len(data)):
            raise no_model(path, "Keras", "it unpacks to more than it can hold")
        config = checked_config(archive.read(CONFIG), path, admitted)
        (folder / WEIGHTS).write_bytes(archive.read(WEIGHTS))
    with h5py.File(folder / WEIGHTS, "r") as file:
        _check_hdf5(file, path, len(data))
    made = folder / "model.keras"
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("metadata.json", "{}")
        archive.writestr(CONFIG, json.dumps(config))
        archive.write(folder / WEIGHTS, WEIGHTS)
    return made


def _check_hdf5(file: h5py.File, path: Path, stored: int) -> None:
    """Refuse links and data sets that have another file read, and more data than are stored."""
    waiting: list[h5py.Group] = [file]
    count = size = 0
    while waiting:
        group = waiting.pop()
        for name in group:
            count += 1
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise no_model(path, "Keras", "it has links to other places or files")
            item = group[name]
            if isinstance(item, h5py.Group):
                waiting.append(item)
                continue
            if not isinstance(item, h5py.Dataset) or item.dtype.kind not in NUMBERS:
                raise no_model(path, "Keras", "it holds what is no array of numbers")
            if item.is_virtual or item.external:
                raise no_model(path, "Keras", "it takes weights from other files")
            size += item.nbytes
        if count > MOST_OBJECTS or size > _most(stored):
            raise no_model(path, "Keras", "it unpacks to more than it can hold")


def _most(stored: int) -> int:
    """Bytes that a file of so many may unpack to."""
    return min(max(SMALL, LARGEST_RATIO * stored), LARGEST_FILE)
