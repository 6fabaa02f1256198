"""GTSRB from its official archives, 39,209 / 12,630 colour pictures of 15x15 to 250x250 pixels.

Three zips: the final training set, one folder of PPM pictures per class; the final test set, one
folder of PPM pictures; its ground truth, a CSV file. The whole picture is scaled, not only the box
around the sign. Classes are the official numbers, 00 to 42.

Source: J. Stallkamp, M. Schlipsing, J. Salmen, C. Igel, "Man vs. computer: benchmarking machine
learning algorithms for traffic sign recognition", Neural Networks 32, 2012;
https://benchmark.ini.rub.de/gtsrb_dataset.html. The digests of the test archives are torchvision's;
that of the training archive is the one that public loaders of it agree on.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from rbnn.tasks.cache import Decoded
from rbnn.tasks.dataset import Split
from rbnn.tasks.download import Remote
from rbnn.tasks.errors import TaskError
from rbnn.tasks.form import USUAL, Sides
from rbnn.tasks.picture import read_picture
from rbnn.tasks.sets.published import Published

Progress = Callable[[str, int, int], None]
CLASSES = 43
LABELS = tuple(f"{number:02}" for number in range(CLASSES))
TRAIN_MEMBER = re.compile(r"GTSRB/Final_Training/Images/(\d{5})/\d{5}_\d{5}\.ppm")
TEST_FOLDER = "GTSRB/Final_Test/Images"
TRUTH_MEMBER = "GT-final_test.csv"


def _list_train(archive: zipfile.ZipFile) -> list[tuple[str, int]]:
    found = []
    for name in sorted(archive.namelist()):
        if match := TRAIN_MEMBER.fullmatch(name):
            found.append((name, int(match[1])))
    return found


def _list_test(truth: zipfile.ZipFile) -> list[tuple[str, int]]:
    text = io.StringIO(truth.read(TRUTH_MEMBER).decode("ascii"))
    rows = csv.DictReader(text, delimiter=";")
    return sorted((f"{TEST_FOLDER}/{row['Filename']}", int(row["ClassId"])) for row in rows)


def _read(
    archive: zipfile.ZipFile,
    listed: list[tuple[str, int]],
    part: str,
    progress: Progress | None,
    sides: Sides,
) -> Split:
    if set(range(CLASSES)) != {label for _, label in listed}:
        raise ValueError(f"the classes of its {part} set are not 0 to {CLASSES - 1}")
    images = np.empty((len(listed), *sides, 3), dtype=np.uint8)
    for number, (name, _) in enumerate(listed):
        images[number] = read_picture(archive.read(name), name, sides, ("PPM",))
        if progress is not None:
            progress(f"reading GTSRB, {part} set", number + 1, len(listed))
    return Split(images, np.array([label for _, label in listed], dtype=np.int64))


def read_archives(
    paths: Sequence[Path], progress: Progress | None = None, sides: Sides = USUAL
) -> Decoded:
    """Decode training pictures, test pictures and ground truth.

    Raises:
        TaskError: an archive is not that file.
    """
    path = paths[0]
    try:
        with zipfile.ZipFile(path) as archive:
            train = _read(archive, _list_train(archive), "training", progress, sides)
        path = paths[2]
        with zipfile.ZipFile(path) as truth:
            listed = _list_test(truth)
        path = paths[1]
        with zipfile.ZipFile(path) as archive:
            test = _read(archive, listed, "test", progress, sides)
    except (
        OSError, EOFError, KeyError, ValueError, TypeError, csv.Error, zipfile.BadZipFile,
        zlib.error, RuntimeError, TaskError,
    ) as error:  # fmt: skip
        raise TaskError(
            f"{path} is not the GTSRB archive: {error}.", "Delete it and run the command again."
        ) from error
    return Decoded(LABELS, train, test, "image")


def _remote(file: str, digest: str, size_bytes: int) -> Remote:
    base = "https://sid.erda.dk/public/archives/daaeac0d7ce1152aea9b61d9f1e19370/"
    return Remote(base + file, "md5", digest, "gtsrb", size_bytes)


SET = Published(
    (
        _remote("GTSRB_Final_Training_Images.zip", "f33fd80ac59bff73c82d25ab499e03a3", 276_294_756),
        _remote("GTSRB_Final_Test_Images.zip", "c7e4e6327067d32654124b0fe9e82185", 88_978_620),
        _remote("GTSRB_Final_Test_GT.zip", "fe31e9c9270bbcd7b84b7f21a9d9d9e5", 99_620),
    ),
    "GTSRB, official final training and test sets, from sid.erda.dk",
    {"task": "gtsrb 1"},
    read_archives,
)
