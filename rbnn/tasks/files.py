"""A data set of files: ``train/<class>/`` and ``test/<class>/`` with pictures, sounds, tensors or
sensor series.

Classes are numbered in the sorted order of their folders. If no picture of the set has a colour,
the task has one channel, otherwise three or, where the input has one, one.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from functools import partial
from pathlib import PurePosixPath

import numpy as np

from rbnn.tasks.audio import log_mel_image
from rbnn.tasks.cache import Decoded
from rbnn.tasks.dataset import Images, Kind, Split
from rbnn.tasks.errors import TaskError, raise_all
from rbnn.tasks.form import Form
from rbnn.tasks.picture import is_grey, read_picture
from rbnn.tasks.sensors.arrays import MAGIC, array_kind, as_tensor, read_array
from rbnn.tasks.sensors.recordings import read_series
from rbnn.tasks.tree import PARTS, Tree
from rbnn.tasks.wav import read_wav

Progress = Callable[[str, int, int], None]
READER_VERSION = 2
"""Increased whenever the same files would be decoded to other bytes."""
SUFFIXES: dict[str, Kind | None] = {
    ".png": "image",
    ".jpg": "image",
    ".jpeg": "image",
    ".wav": "audio",
    ".csv": "series",
    ".npy": None,
}
"""None: the content says whether it is a tensor or a series."""
NAMES: dict[Kind, str] = {
    "image": "pictures",
    "audio": "sounds",
    "series": "sensor series",
    "tensor": "tensors",
}
MAGICS = {
    ".png": (b"\x89PNG\r\n\x1a\n",),
    ".jpg": (b"\xff\xd8\xff",),
    ".jpeg": (b"\xff\xd8\xff",),
    ".wav": (b"RIFF", b"RIFX", b"RF64", b"BW64"),
    ".npy": (MAGIC,),
}
_LAYOUT = (
    "The set needs train/<class>/ and test/<class>/ folders of PNG, JPEG, WAV, CSV or NPY files."
)


def kind_of(name: str, where: str, read: Callable[[], bytes]) -> Kind:
    """What a file is, by its name and, of a NumPy file, its content.

    Args:
        name: of the file.
        where: its name for error messages.
        read: gives its content.

    Raises:
        TaskError: nothing that is known here.
    """
    suffix = PurePosixPath(name).suffix.lower()
    if suffix not in SUFFIXES:
        raise TaskError(
            f"{where} is neither PNG, JPEG, WAV, CSV nor NPY.",
            "Convert it, or move it out of the data set.",
        )
    kind = SUFFIXES[suffix]
    if kind is not None:
        return kind
    raw = read()
    check_magic(raw, name, where)
    return array_kind(read_array(raw, where), where)


def check_magic(raw: bytes, name: str, where: str) -> None:
    """Refuse a file whose first bytes are not those of what its name says.

    Raises:
        TaskError: they are not, or there are none.
    """
    suffix = PurePosixPath(name).suffix.lower()
    if not raw:
        raise TaskError(f"{where} is empty.", "Replace it or delete it.")
    if suffix in MAGICS and not raw.startswith(MAGICS[suffix]):
        raise TaskError(
            f"{where} is not a {suffix[1:].upper()} file, despite its name.",
            "Convert it, or give it the right extension.",
        )


def decode(raw: bytes, name: str, where: str, form: Form) -> Images:
    """Decode one file: a picture to three channels, a sound to one, a tensor to those it has.

    Raises:
        TaskError: the file is damaged, is not what its name says, or is a sensor series.
    """
    check_magic(raw, name, where)
    match kind_of(name, where, lambda: raw):
        case "image":
            return read_picture(raw, where, form.sides)
        case "audio":
            return log_mel_image(read_wav(raw, where), form.sides)
        case _:
            return as_tensor(read_array(raw, where), where, (*form.sides, form.channels))


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
    """What the files are. Of NumPy files the first one is opened; others are checked when read."""
    found: dict[Kind, str] = {}
    faults = []
    arrays: Kind | None = None
    for name in names:
        try:
            is_array = name.lower().endswith(".npy")
            kind = arrays if is_array else None
            kind = kind or kind_of(name, tree.where(name), partial(tree.read, name))
            arrays = kind if is_array else arrays
            found.setdefault(kind, name)
        except TaskError as fault:
            faults.append(fault)
            if is_array:
                break
    raise_all(faults, tree.path)
    if len(found) > 1:
        first, second = list(found.items())[:2]
        raise TaskError(
            f"{tree.path} mixes {NAMES[first[0]]} and {NAMES[second[0]]}: {first[1]} and "
            f"{second[1]}.",
            "Split it into two tasks.",
        )
    return next(iter(found))


def read_files(tree: Tree, progress: Progress | None = None, form: Form | None = None) -> Decoded:
    """Read a whole set.

    Args:
        tree: the opened folder or zip.
        form: what the samples become; None for the usual.
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
    form = form or Form()
    kind = _check_kinds(tree, names)
    if kind == "series":
        return read_series(tree, labels, ordered, form, progress)
    images: Images | None = None
    faults = []
    for number, name in enumerate(names):
        try:
            image = decode(tree.read(name), name, tree.where(name), form)
            if images is None:
                images = np.empty((len(names), *image.shape), dtype=np.uint8)
            if image.shape != images.shape[1:]:
                raise TaskError(
                    f"{tree.where(name)} has {image.shape[2]} channels; files before it have "
                    f"{images.shape[3]}.",
                    "Save all tensors of a set in one shape.",
                )
            images[number] = image
        except TaskError as fault:
            faults.append(fault)
        if progress is not None:
            progress(f"reading {tree.path.name}", number + 1, len(names))
    raise_all(faults, tree.path)
    assert images is not None  # there are files, and none has a fault
    if kind == "image" and is_grey(images):
        images = np.ascontiguousarray(images[..., :1])
    numbers = np.array([label for part in PARTS for label, _ in ordered[part]], dtype=np.int64)
    cut = len(ordered["train"])
    return Decoded(
        labels, Split(images[:cut], numbers[:cut]), Split(images[cut:], numbers[cut:]), kind
    )
