"""The folder of a library: written whole or not at all, and never over somebody else's files."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from rbnn.errors import RbnnError
from rbnn.library.errors import LibraryError

LIST_FILE = "rbnn-library.json"
_LIST_VERSION = 1
_SHOWN = 3


def check_folder(folder: Path) -> None:
    """Refuse a folder that a library may not replace.

    Args:
        folder: need not exist.

    Raises:
        LibraryError: it holds anything that rbnn did not write, or that was changed since.
    """
    if not folder.exists() and not folder.is_symlink():
        return
    if not folder.is_dir():
        raise LibraryError(f"{folder} is not a folder.", "Name another one with --library.")
    try:
        found = _files(folder)
        if not found:
            return
        listed = _listed(folder)
        foreign = sorted(set(found) - set(listed) - {LIST_FILE})
        if listed and foreign:
            raise LibraryError(
                f"{folder} holds files that are not the library's: {_some(foreign)}.",
                "Move them elsewhere, or name another folder with --library.",
            )
        changed = sorted(
            name
            for name in set(found) & set(listed)
            if hashlib.sha256(found[name].read_bytes()).hexdigest() != listed[name]
        )
    except OSError as error:
        raise LibraryError(
            f"Cannot read {error.filename or folder}: {error.strerror}.",
            "Make it readable, or name another folder with --library.",
        ) from error
    if not listed:
        raise LibraryError(
            f"{folder} is not empty, and not a library that rbnn wrote.",
            "Name a new or an empty folder with --library.",
        )
    if changed:
        raise LibraryError(
            f"Files in {folder} were changed since rbnn wrote them: {_some(changed)}.",
            "Keep your changes elsewhere and delete these files, or name another folder with "
            "--library.",
        )


def write_folder(folder: Path, files: Mapping[str, str]) -> None:
    """Put files and their list into a folder in place of all that it holds.

    They are written beside it and then take its place, so that it is never there in part.

    Args:
        folder: one that :func:`check_folder` does not refuse.
        files: text by path.

    Raises:
        RbnnError: it cannot be written; then the folder is as it was.
    """
    place = folder.resolve()
    digests = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in files.items()}
    listed = json.dumps({"version": _LIST_VERSION, "files": digests}, indent=2) + "\n"
    beside: Path | None = None
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f".{place.name}.", dir=place.parent))
        new = beside / "new"
        for name, text in {**files, LIST_FILE: listed}.items():
            path = new / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
        _replace(place, new, beside / "old")
    except OSError as error:
        raise RbnnError(
            f"Cannot write {folder}: {error.strerror or error}.",
            "Make its parent folder writable, free some space on its disk, or name another folder "
            "with --library.",
        ) from error
    finally:
        if beside is not None:
            shutil.rmtree(beside, ignore_errors=True)


def _replace(place: Path, new: Path, old: Path) -> None:
    """Move what is at ``place``, if anything is, to ``old``, and ``new`` there."""
    if not place.exists():
        os.rename(new, place)
        return
    os.rename(place, old)
    try:
        os.rename(new, place)
    except BaseException:
        os.rename(old, place)
        raise


def _files(folder: Path) -> dict[str, Path]:
    """All that a folder holds except folders, by path.

    Raises:
        OSError: a folder in it cannot be read.
    """

    def fail(error: OSError) -> None:
        raise error

    found = {}
    for where, folders, names in os.walk(folder, onerror=fail):
        links = [name for name in folders if (Path(where) / name).is_symlink()]
        for name in [*names, *links]:
            path = Path(where) / name
            found[path.relative_to(folder).as_posix()] = path
    return found


def _listed(folder: Path) -> dict[str, str]:
    """Digests of the files of an earlier library; none where there is no readable list."""
    path = folder / LIST_FILE
    if not path.is_file():
        return {}
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["version"] != _LIST_VERSION:
            return {}
        return {str(name): str(digest) for name, digest in document["files"].items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


def _some(names: list[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
