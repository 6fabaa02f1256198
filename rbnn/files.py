"""Files written completely or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import tempfile
from pathlib import Path

from rbnn.errors import RbnnError

PRIVATE = 0o600
"""Permission bits of a file that only its owner may read."""


def write_atomic(
    path: Path, data: bytes | str, *, mode: int = 0o644, folder_option: str = ""
) -> None:
    """Write ``data`` to a temporary file next to ``path``, flush it to disk, then rename it.

    Args:
        path: the file; its folder is made if missing.
        data: the whole content; text is encoded as UTF-8.
        mode: permission bits of the finished file.
        folder_option: what names another folder, such as an environment variable; for messages.

    Raises:
        RbnnError: the folder cannot be written or the disk is full; ``path`` is untouched.
    """
    raw = data.encode() if isinstance(data, str) else data
    temporary: str | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(handle, "wb") as stream:
            os.fchmod(stream.fileno(), mode)
            stream.write(raw)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)
        temporary = None
    except OSError as error:
        raise RbnnError(
            f"Cannot write {path}: {error.strerror or error}.",
            _fix(error, folder_option),
        ) from error
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                os.unlink(temporary)


def make_writable(folder: Path) -> None:
    """Make a folder, and those above it, unless they are there.

    Raises:
        OSError: it cannot be made, or not written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def make_folder(folder: Path) -> None:
    """Make a folder for files, and those above it, unless they are there.

    Raises:
        RbnnError: it cannot be made or written.
    """
    try:
        make_writable(folder)
    except OSError as error:
        raise _not_made(folder, error) from error


def make_private_folder(folder: Path) -> None:
    """Make a folder that only its owner can enter, and close one that is there to others.

    Raises:
        RbnnError: it cannot be made.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with contextlib.suppress(PermissionError):  # another owner's
            folder.chmod(stat.S_IMODE(folder.stat().st_mode) & 0o700)
    except OSError as error:
        raise _not_made(folder, error) from error


def _not_made(folder: Path, error: OSError) -> RbnnError:
    return RbnnError(
        f"Cannot make or write the folder {folder}: {error.strerror or error}.", _fix(error, "")
    )


def _fix(error: OSError, folder_option: str) -> str:
    """What helps against a failed write: space if that is what is missing, or another folder."""
    elsewhere = f"name another folder in {folder_option}" if folder_option else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        other = f", or {elsewhere}" if elsewhere else ""
        return f"Free some space on its disk{other}; then run the command again."
    elsewhere = elsewhere or "choose another folder"
    return f"Make its folder writable, or {elsewhere}; then run the command again."
