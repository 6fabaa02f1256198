"""Free Spoken Digit Dataset 1.0.9 from its repository, 2,500 clips by five speakers at 8 kHz.

The official split is by take: of the 50 takes of each digit and speaker, 0 to 4 are the test set.
So every speaker in the test set also occurs in training.

Source: Z. Jackson et al., https://github.com/Jakobovski/free-spoken-digit-dataset, whose README
gives the split. The digest and the size are those that TensorFlow Datasets records for the archive.
"""

from __future__ import annotations

import re
import tarfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from rbnn.tasks.audio import RECIPE, log_mel_image
from rbnn.tasks.cache import Decoded
from rbnn.tasks.dataset import Images, Split
from rbnn.tasks.download import Remote
from rbnn.tasks.errors import TaskError
from rbnn.tasks.form import USUAL, Sides
from rbnn.tasks.sets.published import Published
from rbnn.tasks.wav import read_wav

Progress = Callable[[str, int, int], None]
LABELS = tuple("0123456789")
CLIP = re.compile(r"[^/]+/recordings/(\d)_([^_/]+)_(\d+)\.wav")
TEST_TAKES = 5
CLIPS = 2_500


def _split(clips: list[tuple[str, int, Images]]) -> Split:
    if {label for _, label, _ in clips} != set(range(len(LABELS))):
        raise ValueError("digits are missing")
    ordered = sorted(clips, key=lambda clip: (clip[1], clip[0]))
    return Split(
        np.stack([image for _, _, image in ordered]),
        np.array([label for _, label, _ in ordered], dtype=np.int64),
    )


def read_archives(
    paths: Sequence[Path], progress: Progress | None = None, sides: Sides = USUAL
) -> Decoded:
    """Decode the repository's archive.

    Raises:
        TaskError: the archive is not that file.
    """
    (path,) = paths
    train: list[tuple[str, int, Images]] = []
    test: list[tuple[str, int, Images]] = []
    try:
        with tarfile.open(path, "r|gz") as archive:
            for member in archive:
                match = CLIP.fullmatch(member.name)
                if match is None or (stream := archive.extractfile(member)) is None:
                    continue
                image = log_mel_image(read_wav(stream.read(), member.name), sides)
                part = test if int(match[3]) < TEST_TAKES else train
                part.append((member.name, int(match[1]), image))
                if progress is not None:
                    progress("listening to FSDD", len(train) + len(test), CLIPS)
        return Decoded(LABELS, _split(train), _split(test), "audio")
    except (OSError, EOFError, ValueError, zlib.error, tarfile.TarError, TaskError) as error:
        raise TaskError(
            f"{path} is not the archive of the Free Spoken Digit Dataset: {error}.",
            "Delete it and run the command again.",
        ) from error


SET = Published(
    (
        Remote(
            "https://github.com/Jakobovski/free-spoken-digit-dataset/archive/v1.0.9.tar.gz",
            "sha256",
            "8bc44cde129d505cbbb6b365c09f80c663f2aa77578afc634e6141a2f87100c0",
            "fsdd",
            11_975_353,
            "free-spoken-digit-dataset-1.0.9.tar.gz",
        ),
    ),
    "Free Spoken Digit Dataset 1.0.9, official split by take, from github.com/Jakobovski",
    {"task": "fsdd 1", **RECIPE},
    read_archives,
)
