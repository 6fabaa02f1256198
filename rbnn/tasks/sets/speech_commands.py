"""Speech Commands v0.02 from its official archive, 2.3 GiB, as the 12-class keyword task.

Classes: ten words, ``_unknown_`` (a seeded choice of the other words' clips) and ``_silence_``
(seconds cut from the background noise, at random loudness). Both have as many clips as a word has
on average. Clips in ``testing_list.txt`` are the test set; those in ``validation_list.txt`` are
left out; the rest is the training set. The last fifth of each background recording is used for the
test set, the rest for the training set.

Source: P. Warden, "Speech Commands", arXiv 1804.03209, sections 5 and 7.
"""

from __future__ import annotations

import tarfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from rbnn.spec.audio import CLIP_SAMPLES
from rbnn.tasks.audio import RECIPE, Samples, log_mel_image
from rbnn.tasks.cache import Decoded
from rbnn.tasks.dataset import Images, Split
from rbnn.tasks.download import Remote
from rbnn.tasks.errors import TaskError
from rbnn.tasks.form import USUAL, Sides
from rbnn.tasks.sets.published import Published
from rbnn.tasks.wav import decode_wav, read_wav

Progress = Callable[[str, int, int], None]
Part = str
WORDS = ("down", "go", "left", "no", "off", "on", "right", "stop", "up", "yes")
SILENCE, UNKNOWN = "_silence_", "_unknown_"
LABELS = (SILENCE, UNKNOWN, *WORDS)
BACKGROUND = "_background_noise_"
CLIPS = 105_829
TEST_SHARE_OF_BACKGROUND = 0.2
SEED = 12


def _members(path: Path) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(path, "r|gz") as archive:
        for member in archive:
            if member.isfile() and (stream := archive.extractfile(member)) is not None:
                yield member.name.removeprefix("./"), stream.read()


def _read(
    path: Path, progress: Progress | None, sides: Sides
) -> tuple[dict[str, Images], dict[str, Samples], dict[str, set[str]]]:
    """One pass: the image of each clip, the samples of each background noise, the names in each
    list."""
    clips: dict[str, Images] = {}
    noises: dict[str, Samples] = {}
    lists: dict[str, set[str]] = {}
    for name, raw in _members(path):
        folder, _, file = name.rpartition("/")
        if file in ("testing_list.txt", "validation_list.txt"):
            lists[file] = set(raw.decode().split())
        elif folder == BACKGROUND and file.endswith(".wav"):
            noises[file] = decode_wav(raw, name)
        elif folder and file.endswith(".wav"):
            clips[name] = log_mel_image(read_wav(raw, name), sides)
            if progress is not None:
                progress("listening to Speech Commands", len(clips), CLIPS)
    return clips, noises, lists


def _cut_silence(
    noises: dict[str, Samples], part: Part, count: int, random: np.random.Generator, sides: Sides
) -> list[Images]:
    stretches = []
    for _, noise in sorted(noises.items()):
        border = round(len(noise) * (1 - TEST_SHARE_OF_BACKGROUND))
        stretch = noise[border:] if part == "test" else noise[:border]
        if len(stretch) >= CLIP_SAMPLES:
            stretches.append(stretch)
    if not stretches:
        raise ValueError(f"no background noise for the {part} set")
    images = []
    for _ in range(count):
        stretch = stretches[random.integers(len(stretches))]
        start = int(random.integers(0, len(stretch) - CLIP_SAMPLES + 1))
        clip = stretch[start : start + CLIP_SAMPLES] * random.uniform(0, 1)
        images.append(log_mel_image(clip, sides))
    return images


def _choose(
    part: Part,
    names: list[str],
    clips: dict[str, Images],
    noises: dict[str, Samples],
    sides: Sides,
) -> Split:
    random = np.random.default_rng([SEED, part == "test"])
    images: list[Images] = []
    labels: list[int] = []
    others: list[str] = []
    for name in names:
        word = name.partition("/")[0]
        if word in WORDS:
            images.append(clips[name])
            labels.append(LABELS.index(word))
        else:
            others.append(name)
    if len(set(labels)) < len(WORDS):
        raise ValueError(f"words are missing in the {part} set")
    share = max(round(len(labels) / len(WORDS)), 1)
    chosen = random.permutation(np.array(others, dtype=object))[:share]
    images += [clips[name] for name in chosen]
    labels += [LABELS.index(UNKNOWN)] * len(chosen)
    images += _cut_silence(noises, part, share, random, sides)
    labels += [LABELS.index(SILENCE)] * share
    return Split(np.stack(images), np.array(labels, dtype=np.int64))


def read_archives(
    paths: Sequence[Path], progress: Progress | None = None, sides: Sides = USUAL
) -> Decoded:
    """Decode ``speech_commands_v0.02.tar.gz``; takes one to two minutes.

    Raises:
        TaskError: the archive is not that file.
    """
    (path,) = paths
    try:
        clips, noises, lists = _read(path, progress, sides)
        testing, validation = lists["testing_list.txt"], lists["validation_list.txt"]
        train = sorted(name for name in clips if name not in testing and name not in validation)
        test = sorted(name for name in clips if name in testing)
        return Decoded(
            LABELS,
            _choose("train", train, clips, noises, sides),
            _choose("test", test, clips, noises, sides),
            "audio",
        )
    except TaskError:
        raise
    except (OSError, EOFError, KeyError, ValueError, zlib.error, tarfile.TarError) as error:
        raise TaskError(
            f"{path} is not the Speech Commands archive: {error}.",
            "Delete it and run the command again.",
        ) from error


SET = Published(
    (
        Remote(
            "https://storage.googleapis.com/download.tensorflow.org/data/"
            "speech_commands_v0.02.tar.gz",
            "sha256",
            "af14739ee7dc311471de98f5f9d2c9191b18aedfe957f4a6ff791c709868ff58",
            "kws",
            2_428_923_189,
        ),
    ),
    "Speech Commands v0.02, official split, from storage.googleapis.com",
    {"task": "kws 1", "seed": SEED, **RECIPE},
    read_archives,
)
