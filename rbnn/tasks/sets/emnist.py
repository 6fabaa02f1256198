"""EMNIST Letters from NIST's archive, 124,800 / 20,800 grey images of 28x28 pixels.

The archive holds all six EMNIST sets; only Letters is read, directly from the zip. Its images are
transposed (rows and columns exchanged) and are turned upright here; its classes 1..26 are A..Z,
each with capital and small letters.

Source: G. Cohen, S. Afshar, J. Tapson, A. van Schaik, "EMNIST: an extension of MNIST to
handwritten letters", arXiv 1702.05373; https://www.nist.gov/itl/products-and-services/emnist-dataset.
The digest and the size are those recorded for the archive by TensorFlow Datasets.
"""

from __future__ import annotations

import string
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

from rbnn.tasks.cache import Decoded
from rbnn.tasks.dataset import Split
from rbnn.tasks.download import Remote
from rbnn.tasks.errors import TaskError
from rbnn.tasks.form import USUAL, Sides
from rbnn.tasks.sets.idx import DAMAGE, read_images, read_labels
from rbnn.tasks.sets.published import Published

Progress = Callable[[str, int, int], None]
LABELS = tuple(string.ascii_uppercase)
MEMBER = "gzip/emnist-letters-{part}-{values}-ubyte.gz"


def _split(archive: zipfile.ZipFile, part: str, progress: Progress | None, sides: Sides) -> Split:
    pixels = archive.read(MEMBER.format(part=part, values="images-idx3"))
    numbers = archive.read(MEMBER.format(part=part, values="labels-idx1"))
    images = read_images(pixels, "EMNIST Letters", progress, sides, lying=True)
    return Split(images, read_labels(numbers, 1, len(LABELS)))


def read_archives(
    paths: Sequence[Path], progress: Progress | None = None, sides: Sides = USUAL
) -> Decoded:
    """Decode NIST's ``gzip.zip``.

    Raises:
        TaskError: the archive is not that file.
    """
    (path,) = paths
    try:
        with zipfile.ZipFile(path) as archive:
            train, test = (_split(archive, part, progress, sides) for part in ("train", "test"))
    except (*DAMAGE, zipfile.BadZipFile, RuntimeError) as error:
        raise TaskError(
            f"{path} is not the EMNIST archive: {error}.", "Delete it and run the command again."
        ) from error
    return Decoded(LABELS, train, test, "image")


SET = Published(
    (
        Remote(
            "https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip",
            "sha256",
            "fb9bb67e33772a9cc0b895e4ecf36d2cf35be8b709693c3564cea2a019fcda8e",
            "emnist",
            561_753_746,
            "emnist-gzip.zip",
        ),
    ),
    "EMNIST Letters, official split, from biometrics.nist.gov",
    {"task": "emnist 1"},
    read_archives,
)
