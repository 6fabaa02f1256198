"""Fetch one published file, checked and resumable.

A download grows as ``<name>.part`` and takes its own name only when its checksum is right, so
what stands under the name is whole. A part that is left over is continued by an HTTP Range
request; a part with a wrong checksum is deleted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

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
        task: the task that it is for, to name the way round in messages.
        size_bytes: how large it is; 0 where that is not known.
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
        """How to go on without the network, where downloads are kept in ``folder``."""
        return (
            f"Fetch it elsewhere and put it at {folder / self.name}, or set RBNN_DATA to a folder "
            f"that holds the set as train/<class>/ and test/<class>/ files, zipped or not."
        )


def _digest(path: Path, algorithm: str) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, algorithm).hexdigest()


def _ask(remote: Remote, have: int, folder: Path) -> requests.Response:
    import requests

    # "identity": lengths and ranges count the file's own bytes.
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
            return  # the part is as long as the file, or longer: its checksum decides
        if answer.status_code not in (200, 206):
            raise TaskError(
                f"{remote.url} answers {answer.status_code} {answer.reason}.",
                remote.way_round(part.parent),
            )
        resumed = answer.status_code == 206
        if resumed and not answer.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
            raise TaskError(
                f"{remote.url} answers with another range than was asked for.",
                remote.way_round(part.parent),
            )
        done = have if resumed else 0
        length = answer.headers.get("Content-Length", "")
        total = done + int(length) if length.isdigit() else 0
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
                    "Run the same command again: it goes on where it stopped.",
                ) from error


def fetch(remote: Remote, folder: Path, progress: Progress | None = None) -> Path:
    """Download a file, or find it already there.

    Args:
        remote: the file and its digest.
        folder: where downloads are kept.
        progress: called as ``progress("downloading <name>", bytes done, bytes in all or 0)``.

    Returns:
        The file, its digest checked.

    Raises:
        TaskError: no network, an answer other than the file, a broken or wrong download, or a
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
