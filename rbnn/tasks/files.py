"""A data set of files: ``train/<class>/`` and ``test/<class>/`` with PNG, JPEG or WAV files.

Classes are numbered in the sorted order of their folders. If no picture of the set has a colour,
the task has one channel, otherwise three.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from pathlib import PurePosixPath

import numpy as np

from rbnn.tasks.audio import log_mel_image
from rbnn.tasks.cache import Decoded
from rbnn.tasks.dataset import SIDE, Images, Kind, Split
from rbnn.tasks.errors import TaskError, raise_all
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


def check_magic(raw: bytes, name: str, where: str) -> None:
    """Refuse a file whose first bytes are not those of what its name says.

    Raises:
        TaskError: they are not.
    """
    suffix = PurePosixPath(name).suffix.lower()
    if not raw.startswith(MAGICS[suffix]):
        raise TaskError(
            f"{where} is not a {suffix[1:].upper()} file, despite its name.",
            "Convert it, or give it the right extension.",
        )


def decode(raw: bytes, name: str, where: str) -> Images:
    """Decode one file: a picture to (32, 32, 3), a sound to (32, 32, 1).

    Raises:
        TaskError: the file is damaged, or is not what its name says.
    """
    kind = kind_of(name, where)
    if not raw:
        raise TaskError(f"{where} is empty.", "Replace it or delete it.")
    check_magic(raw, name, where)
    return read_picture(raw, where) if kind == "image" else log_mel_image(read_wav(raw, where))


def _list(tree: Tree) -> dict[str, dict[str, list[str]]]:
    """File names by part and class, checked for shape."""
    found: dict[str, dict[str, list[str]]] = {part: {} for part in PARTS}
    parts = set()
    misplaced: dict[str, TaskError] = {}
    for name in tree.names():
        part, *rest = name.split("/")
        parts.add(part)
        if len(rest) > 2:
            inner = tree.where("/".join((part, *rest[:2])))
            what = f"{inner} is a folder inside a class folder."
            misplaced.setdefault(inner, TaskError(what, _LAYOUT))
        elif len(rest) == 2:
            # Some systems store an accent apart from its letter.
            files = found[part].setdefault(unicodedata.normalize("NFC", rest[0]), [])
            files += [name] if rest[1] else []
        elif rest[0]:
            what = f"{tree.where(name)} is not in a class folder."
            misplaced[name] = TaskError(what, _LAYOUT)
    faults = list(misplaced.values())
    raise_all(faults, tree.path)
    for part in PARTS:
        if part not in parts:
            raise _no_part(tree, part)
        if not found[part]:
            raise TaskError(f"{tree.where(part)} is empty.", _LAYOUT)
        faults += [
            TaskError(f"{tree.where(part)}/{label} is empty.", "Add files to it, or delete it.")
            for label, names in found[part].items()
            if not names
        ]
    raise_all(faults, tree.path)
    for label in sorted(set(found["train"]) ^ set(found["test"])):
        part = "train" if label in found["train"] else "test"
        what = f"{tree.path}: the class {label!r} is only in {part}/."
        faults.append(TaskError(what, "Give train/ and test/ the same classes."))
    raise_all(faults, tree.path)
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
    found: dict[Kind, str] = {}
    faults = []
    for name in names:
        try:
            found.setdefault(kind_of(name, tree.where(name)), name)
        except TaskError as fault:
            faults.append(fault)
    raise_all(faults, tree.path)
    if len(found) > 1:
        raise TaskError(
            f"{tree.path} mixes pictures and sounds: {' and '.join(found.values())}.",
            "Split it into two tasks.",
        )
    return next(iter(found))


def read_files(tree: Tree, progress: Progress | None = None) -> Decoded:
    """Read a whole set.

    Args:
        tree: the opened folder or zip.
        progress: called as ``progress("reading <path>", done, total)``.

    Returns:
        The decoded set, in sorted order of class and file name.

    Raises:
        TaskError: names what is wrong with which files or folders, and how to fix it.
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
    faults = []
    for number, name in enumerate(names):
        try:
            images[number] = decode(tree.read(name), name, tree.where(name))
        except TaskError as fault:
            faults.append(fault)
        if progress is not None:
            progress(f"reading {tree.path.name}", number + 1, len(names))
    raise_all(faults, tree.path)
    if kind == "image" and is_grey(images):
        images = np.ascontiguousarray(images[..., :1])
    numbers = np.array([label for part in PARTS for label, _ in ordered[part]], dtype=np.int64)
    cut = len(ordered["train"])
    return Decoded(
        labels, Split(images[:cut], numbers[:cut]), Split(images[cut:], numbers[cut:]), kind
    )
