"""The files of a data set in a folder or a zip, read in the same way.

The set may be one folder deeper, as ``zip -r set.zip set`` packs it: if there is neither
``train/`` nor ``test/`` but only one folder, the set is looked for in that folder.
"""

from __future__ import annotations

import hashlib
import os
import stat
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path, PureWindowsPath

from rbnn.tasks.errors import TaskError, raise_all

PARTS = ("train", "test")
MAX_FILE_BYTES = 64 * 1024 * 1024
MAX_FILES = 2_000_000
IGNORED = frozenset({"__MACOSX", "Thumbs.db", "desktop.ini"})
"""Files that desktops leave in folders; names that start with a dot are skipped as well."""


class Tree(ABC):
    """Names and bytes of a set's files; names are relative to the set, with ``/``.

    ``inner`` is the folder that contains the set, with a final ``/``, or empty.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.inner = ""

    @abstractmethod
    def tops(self) -> list[str]:
        """Names of the folders on the level where ``train/`` and ``test/`` should be, sorted."""

    @abstractmethod
    def names(self) -> list[str]:
        """All files and, with a final ``/``, folders, sorted."""

    @abstractmethod
    def read(self, name: str) -> bytes:
        """A file's content."""

    @abstractmethod
    def key(self) -> str:
        """SHA-256 over all names and contents, as hex."""

    def __enter__(self) -> Tree:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:  # noqa: B027  (a folder has nothing to close)
        """Close the file."""

    def where(self, name: str) -> str:
        """A file's name for error messages, with control characters escaped."""
        return "".join(
            letter if letter.isprintable() else repr(letter)[1:-1]
            for letter in f"{self.path}/{self.inner}{name}"
        )


def _is_ignored(name: str) -> bool:
    return any(part in IGNORED or part.startswith(".") for part in name.split("/"))


def _plain(name: str) -> str:
    """A path in a zip without ``.`` and without doubled slashes; a folder's ends with one."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    return "/".join(parts) + ("/" if parts and name.endswith("/") else "")


def _inner(tops: list[str]) -> str:
    return f"{tops[0]}/" if len(tops) == 1 and tops[0] not in PARTS else ""


def _too_large(where: str, size: int) -> TaskError:
    return TaskError(
        f"{where} is too large: {size} bytes.",
        f"Shorten or scale it down: a sample has at most {MAX_FILE_BYTES // 2**20} MiB.",
    )


def _unreadable(path: Path, error: OSError) -> TaskError:
    return TaskError(
        f"Cannot read {error.filename or path}: {error.strerror}.",
        "Check its permissions; remove broken links.",
    )


class FolderTree(Tree):
    """A folder on disk."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.inner = _inner(self.tops())

    def tops(self) -> list[str]:
        try:
            with os.scandir(self.path / self.inner) as entries:
                return sorted(e.name for e in entries if e.is_dir() and not _is_ignored(e.name))
        except OSError as error:
            raise _unreadable(self.path, error) from error

    def _stats(self) -> dict[str, os.stat_result]:
        found: dict[str, os.stat_result] = {}
        faults: list[TaskError] = []

        def walk(folder: Path, prefix: str, depth: int) -> None:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if _is_ignored(entry.name):
                        continue
                    try:
                        status = entry.stat()
                    except OSError as error:
                        faults.append(_unreadable(self.path, error))
                        continue
                    if stat.S_ISDIR(status.st_mode):
                        found[f"{prefix}{entry.name}/"] = status
                        if depth < 3:
                            walk(Path(entry.path), f"{prefix}{entry.name}/", depth + 1)
                    elif stat.S_ISREG(status.st_mode):
                        found[f"{prefix}{entry.name}"] = status
                    else:
                        what = f"{entry.path} is a pipe or a device, not a file."
                        faults.append(TaskError(what, "Move it out of the data set."))

        root = self.path / self.inner
        try:
            for part in PARTS:
                if (root / part).is_dir():
                    found[f"{part}/"] = (root / part).stat()
                    walk(root / part, f"{part}/", 1)
        except OSError as error:
            raise _unreadable(self.path, error) from error
        raise_all(faults, self.path)
        return found

    def names(self) -> list[str]:
        return sorted(self._stats())

    def read(self, name: str) -> bytes:
        try:
            with open(self.path / self.inner / name, "rb") as stream:
                size = os.fstat(stream.fileno()).st_size
                if size > MAX_FILE_BYTES:
                    raise _too_large(self.where(name), size)
                return stream.read()
        except OSError as error:
            raise TaskError(
                f"Cannot read {self.where(name)}: {error.strerror}.", "Check its permissions."
            ) from error

    def key(self) -> str:
        # Times of files are no evidence: archives restore them, whatever the files hold.
        digest = hashlib.sha256(b"folder")
        for name, status in sorted(self._stats().items()):
            digest.update(f"{name}\0{status.st_size}\0".encode(errors="surrogateescape"))
            if stat.S_ISREG(status.st_mode) and status.st_size <= MAX_FILE_BYTES:
                try:
                    content = hashlib.sha256((self.path / self.inner / name).read_bytes())
                except OSError:
                    continue  # it is named when the set is read
                digest.update(content.digest())
        return digest.hexdigest()


class ZipTree(Tree):
    """A zip file; nothing in it is ever written to disk."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        try:
            self._file = path.open("rb")
        except OSError as error:
            raise _unreadable(path, error) from error
        try:
            self._zip = zipfile.ZipFile(self._file)
        except (OSError, zipfile.BadZipFile, ValueError) as error:
            self._file.close()
            raise TaskError(
                f"{path} is not a readable zip file, or is cut off: {error}.",
                "Name a folder or a zip file; if it is one, download or pack it again.",
            ) from error
        self._all: dict[str, zipfile.ZipInfo] = {}
        self._members: dict[str, zipfile.ZipInfo] = {}
        try:
            self._check_members()
        except TaskError:
            self.close()
            raise

    def _check_members(self) -> None:
        members = self._zip.infolist()
        if len(members) > MAX_FILES:
            raise TaskError(
                f"{self.path} has {len(members):,} files; the limit is {MAX_FILES:,}.",
                "Pack a smaller set.",
            )
        faults = []
        for member in members:
            name = member.filename.replace("\\", "/")
            if ".." in name.split("/") or PureWindowsPath(name).anchor:
                what = f"{self.path} holds a file whose path leads outside: {member.filename!r}."
                faults.append(TaskError(what, "Do not trust this zip; pack the folder yourself."))
            name = _plain(name)
            if _is_ignored(name):
                continue
            if name in self._all and not name.endswith("/"):
                faults.append(
                    TaskError(
                        f"{self.path} holds two files named {name!r}.",
                        "Pack the folder again, into a new zip.",
                    )
                )
            self._all[name] = member
        raise_all(faults, self.path)
        self.inner = _inner(self.tops())
        inside = len(self.inner)
        for name, member in self._all.items():
            if name.startswith((f"{self.inner}train/", f"{self.inner}test/")):
                self._members[name[inside:]] = member

    def tops(self) -> list[str]:
        inside = len(self.inner)
        found = (n[inside:].partition("/") for n in self._all if n.startswith(self.inner))
        return sorted({top for top, slash, _ in found if slash})

    def names(self) -> list[str]:
        return sorted(self._members)

    def read(self, name: str) -> bytes:
        member = self._members[name]
        if member.file_size > MAX_FILE_BYTES:
            raise _too_large(self.where(name), member.file_size)
        try:
            with self._zip.open(member) as stream:
                raw = stream.read(MAX_FILE_BYTES + 1)
        except (OSError, zipfile.BadZipFile, zlib.error, EOFError, ValueError) as error:
            raise TaskError(
                f"{self.where(name)} is damaged in the zip: {error}.", "Download or pack it again."
            ) from error
        except (RuntimeError, NotImplementedError) as error:
            raise TaskError(
                f"{self.where(name)} cannot be unpacked: {error}.",
                "Pack the folder as an ordinary zip without a password.",
            ) from error
        if len(raw) > MAX_FILE_BYTES:
            raise _too_large(self.where(name), len(raw))
        return raw

    def key(self) -> str:
        self._file.seek(0)
        return hashlib.file_digest(self._file, "sha256").hexdigest()

    def close(self) -> None:
        self._zip.close()
        self._file.close()


_OPENERS: dict[bool, Callable[[Path], Tree]] = {True: FolderTree, False: ZipTree}


def open_tree(path: Path) -> Tree:
    """Open a folder or a zip.

    Raises:
        TaskError: ``path`` does not exist, or is neither folder nor zip.
    """
    if not path.exists():
        raise TaskError(
            f"There is no folder or zip {path}.",
            "Name a folder or zip that contains train/<class>/ and test/<class>/.",
        )
    if not path.is_dir() and not path.is_file():
        raise TaskError(f"{path} is a pipe or a device.", "Name a folder or a zip file.")
    return _OPENERS[path.is_dir()](path)
