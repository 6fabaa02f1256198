"""Fetch one published file, checked and resumable.

A download is written to ``<name>.part`` and gets its own name only if its checksum is correct, so a
file with that name is complete. A partial download is continued with an HTTP Range request; one
with a wrong checksum is deleted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rbnn.numbers import whole_number
from rbnn.tasks.errors import TaskError

if TYPE_CHECKING:
    import requests

Progress = Callable[[str, int, int], None]
BLOCK_BYTES = 1 << 20
CONNECT_SECONDS = 15
READ_SECONDS = 60


@dataclass(frozen=True)
class Remote:
    """A published file.

    Args:
        url: where it is.
        algorithm: ``hashlib``'s name of the digest that its publisher gives.
        digest: that digest, as hex.
        task: the task that it is for, for messages.
        size_bytes: its size; 0 if unknown.
        saved_as: its name in the folder of downloads; by default the last part of ``url``.
    """

    url: str
    algorithm: str
    digest: str
    task: str
    size_bytes: int = 0
    saved_as: str = ""

    @property
    def name(self) -> str:
        """Its file name."""
        return self.saved_as or self.url.rsplit("/", 1)[-1]

    def way_round(self, folder: Path) -> str:
        """How to do without the network if downloads are kept in ``folder``."""
        return (
            f"Download it elsewhere and save it as {folder / self.name}, or set RBNN_DATA to a "
            f"folder that holds the set as train/<class>/ and test/<class>/ files, zipped or not."
        )


def _digest(path: Path, algorithm: str) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, algorithm).hexdigest()


def _ask(remote: Remote, have: int, folder: Path) -> requests.Response:
    import requests

    # "identity": lengths and ranges refer to the bytes of the file itself.
    headers = {"Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    try:
        return requests.get(
            remote.url, headers=headers, stream=True, timeout=(CONNECT_SECONDS, READ_SECONDS)
        )
    except requests.RequestException as error:
        raise TaskError(
            f"Cannot download {remote.url} for the task {remote.task}: "
            f"no connection ({type(error).__name__}).",
            remote.way_round(folder),
        ) from error


def _stream(remote: Remote, part: Path, progress: Progress | None) -> None:
    import requests

    have = part.stat().st_size if part.exists() else 0
    with _ask(remote, have, part.parent) as answer:
        if have and answer.status_code == 416:
            return  # the part is at least as long as the file: its checksum decides
        if answer.status_code not in (200, 206):
            raise TaskError(
                f"{remote.url} returned {answer.status_code} {answer.reason}.",
                remote.way_round(part.parent),
            )
        resumed = answer.status_code == 206
        if resumed and not answer.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
            raise TaskError(
                f"{remote.url} returned another range than the one requested.",
                remote.way_round(part.parent),
            )
        done = have if resumed else 0
        length = whole_number(answer.headers.get("Content-Length", ""))
        total = 0 if length is None else done + length
        if remote.size_bytes and total and total != remote.size_bytes:
            raise TaskError(
                f"{remote.url} is not the published file: it has {total} bytes, "
                f"not {remote.size_bytes}.",
                remote.way_round(part.parent),
            )
        with part.open("ab" if resumed else "wb") as stream:
            try:
                for block in answer.iter_content(BLOCK_BYTES):
                    stream.write(block)
                    done += len(block)
                    if progress is not None:
                        progress(f"downloading {remote.name}", done, total)
            except requests.RequestException as error:
                raise TaskError(
                    f"The download of {remote.url} broke off after {done} bytes.",
                    "Run the same command again: it continues where it stopped.",
                ) from error


def fetch(remote: Remote, folder: Path, progress: Progress | None = None) -> Path:
    """Download a file, unless it is there already.

    Args:
        remote: the file and its digest.
        folder: where downloads are kept.
        progress: called as ``progress("downloading <name>", bytes done, total bytes or 0)``.

    Returns:
        The file, whose digest was checked.

    Raises:
        TaskError: no network, a response other than the file, a broken or wrong download, or a
            folder that cannot be written.
    """
    path = folder / remote.name
    part = folder / f"{remote.name}.part"
    try:
        if path.exists():
            if _digest(path, remote.algorithm) == remote.digest:
                return path
            path.unlink()
        folder.mkdir(parents=True, exist_ok=True)
        _stream(remote, part, progress)
        found = _digest(part, remote.algorithm)
        if found != remote.digest:
            part.unlink()
            raise TaskError(
                f"{remote.url} is not the published file: its {remote.algorithm} is {found}, "
                f"not {remote.digest}.",
                f"Run the same command again. {remote.way_round(folder)}",
            )
        part.replace(path)
    except OSError as error:
        raise TaskError(
            f"Cannot write {part}: {error.strerror}.",
            "Free some space, or set RBNN_CACHE to another folder.",
        ) from error
    return path
