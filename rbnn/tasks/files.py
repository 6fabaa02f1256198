"""A data set of files: ``train/<class>/`` and ``test/<class>/`` with PNG, JPEG or WAV files.

Classes are numbered in the sorted order of their folders. If no picture of the set has a colour,
the task has one channel, otherwise three.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePosixPath

import numpy as np

from rbnn.tasks.audio import log_mel_image
from rbnn.tasks.cache import Decoded
from rbnn.tasks.dataset import SIDE, Images, Kind, Split
from rbnn.tasks.errors import TaskError
from rbnn.tasks.picture import is_grey, read_picture
from rbnn.tasks.tree import PARTS, Tree
from rbnn.tasks.wav import read_wav

Progress = Callable[[str, int, int], None]
READER_VERSION = 2
"""Increased whenever the same files would be decoded to other bytes."""
SUFFIXES: dict[str, Kind] = {
    ".png": "image",
    ".jpg": "image",
    ".jpeg": "image",
    ".wav": "audio",
}
MAGICS = {
    ".png": (b"\x89PNG\r\n\x1a\n",),
    ".jpg": (b"\xff\xd8\xff",),
    ".jpeg": (b"\xff\xd8\xff",),
    ".wav": (b"RIFF", b"RIFX", b"RF64", b"BW64"),
}
_LAYOUT = "The set needs train/<class>/ and test/<class>/ folders of PNG, JPEG or WAV files."


def kind_of(name: str, where: str) -> Kind:
    """Whether a file is a picture or a sound, by its name.

    Raises:
        TaskError: neither.
    """
    kind = SUFFIXES.get(PurePosixPath(name).suffix.lower())
    if kind is None:
        raise TaskError(
            f"{where} is neither PNG, JPEG nor WAV.",
            "Convert it, or move it out of the data set.",
        )
    return kind


def decode(raw: bytes, name: str, where: str) -> Images:
    """Decode one file: a picture to (32, 32, 3), a sound to (32, 32, 1).

    Raises:
        TaskError: the file is damaged, or is not what its name says.
    """
    kind = kind_of(name, where)
    suffix = PurePosixPath(name).suffix.lower()
    if not raw:
        raise TaskError(f"{where} is empty.", "Replace it or delete it.")
    if not raw.startswith(MAGICS[suffix]):
        raise TaskError(
            f"{where} is not a {suffix[1:].upper()} file, despite its name.",
            "Convert it, or give it the right extension.",
        )
    return read_picture(raw, where) if kind == "image" else log_mel_image(read_wav(raw, where))


def _list(tree: Tree) -> dict[str, dict[str, list[str]]]:
    """File names by part and class, checked for shape."""
    found: dict[str, dict[str, list[str]]] = {part: {} for part in PARTS}
    parts = set()
    for name in tree.names():
        part, *rest = name.split("/")
        parts.add(part)
        if name.endswith("/"):
            if len(rest) == 2:
                found[part].setdefault(rest[0], [])
            elif len(rest) > 2:
                raise TaskError(f"{tree.where(name)} is a folder inside a class folder.", _LAYOUT)
        elif len(rest) == 2:
            found[part].setdefault(rest[0], []).append(name)
        else:
            raise TaskError(f"{tree.where(name)} is not in a class folder.", _LAYOUT)
    for part in PARTS:
        if part not in parts:
            raise _no_part(tree, part)
        if not found[part]:
            raise TaskError(f"{tree.where(part)} is empty.", _LAYOUT)
        for label, names in found[part].items():
            if not names:
                raise TaskError(
                    f"{tree.where(part)}/{label} is empty.", "Add files to it, or delete it."
                )
    differing = sorted(set(found["train"]) ^ set(found["test"]))
    if differing:
        part = "train" if differing[0] in found["train"] else "test"
        raise TaskError(
            f"{tree.path}: the class {differing[0]!r} is only in {part}/.",
            "Give train/ and test/ the same classes.",
        )
    if len(found["train"]) < 2:
        raise TaskError(
            f"{tree.path} has only one class: {next(iter(found['train']))!r}.",
            "Add at least one more class, each in its own folder.",
        )
    return found


def _no_part(tree: Tree, part: str) -> TaskError:
    tops = [name for name in tree.tops() if name not in PARTS]
    shown = ", ".join(tops[:3]) + (", …" if len(tops) > 3 else "")
    found = f" Its top level has {shown}: move class folders to train/ and test/." if tops else ""
    return TaskError(f"{tree.where('').rstrip('/')} has no folder {part}/.", f"{_LAYOUT}{found}")


def _check_kinds(tree: Tree, names: list[str]) -> Kind:
    first = kind_of(names[0], tree.where(names[0]))
    for name in names:
        if kind_of(name, tree.where(name)) != first:
            raise TaskError(
                f"{tree.path} mixes pictures and sounds: {names[0]} and {name}.",
                "Split it into two tasks.",
            )
    return first


def read_files(tree: Tree, progress: Progress | None = None) -> Decoded:
    """Read a whole set.

    Args:
        tree: the opened folder or zip.
        progress: called as ``progress("reading <path>", done, total)``.

    Returns:
        The decoded set, in sorted order of class and file name.

    Raises:
        TaskError: names what is wrong with which file or folder, and how to fix it.
    """
    found = _list(tree)
    labels = tuple(sorted(found["train"]))
    ordered = {
        part: [(number, name) for number, label in enumerate(labels) for name in found[part][label]]
        for part in PARTS
    }
    names = [name for part in PARTS for _, name in ordered[part]]
    kind = _check_kinds(tree, names)
    channels = 3 if kind == "image" else 1
    images = np.empty((len(names), SIDE, SIDE, channels), dtype=np.uint8)
    for number, name in enumerate(names):
        images[number] = decode(tree.read(name), name, tree.where(name))
        if progress is not None:
            progress(f"reading {tree.path.name}", number + 1, len(names))
    if kind == "image" and is_grey(images):
        images = np.ascontiguousarray(images[..., :1])
    numbers = np.array([label for part in PARTS for label, _ in ordered[part]], dtype=np.int64)
    cut = len(ordered["train"])
    return Decoded(
        labels, Split(images[:cut], numbers[:cut]), Split(images[cut:], numbers[cut:]), kind
    )
