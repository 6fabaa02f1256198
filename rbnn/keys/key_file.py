"""Key files: never overwritten, private to their owner, refused if others can read them."""

from __future__ import annotations

import os
import shlex
import stat
from pathlib import Path

from rbnn.errors import RbnnError

WRITABLE = "Name a file in a folder that you can write to, on a disk with space."


def create_key_file(path: Path, data: bytes, error_type: type[RbnnError]) -> None:
    """Write a new file with mode 0600; on failure, nothing is left behind.

    Raises:
        RbnnError: an ``error_type``; the file exists or cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise error_type(
            f"Cannot make the folder {path.parent}: {error.strerror}.", WRITABLE
        ) from error
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise error_type(
            f"{path} exists; a key is never overwritten.",
            "Choose another name, or move the old key to your backup first.",
        ) from error
    except OSError as error:
        raise error_type(f"Cannot make {path}: {error.strerror}.", WRITABLE) from error
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        path.unlink(missing_ok=True)
        raise error_type(f"Cannot write {path}: {error.strerror}.", WRITABLE) from error


def read_key_file(
    path: Path, limit: int, error_type: type[RbnnError], fix: str, start: bytes = b""
) -> bytes:
    """Read a key file that only its owner may read.

    Args:
        path: the file.
        limit: a file with more bytes is not a key file.
        error_type: what to raise.
        fix: how to get such a file.
        start: how every such file begins. One that begins otherwise, such as a public key or any
            other file, is for the caller to refuse: nobody is told to make it private.

    Raises:
        RbnnError: an ``error_type``; missing, not a file, too large, or open to others.
    """
    try:
        with path.open("rb") as stream:
            mode = os.fstat(stream.fileno()).st_mode
            if not stat.S_ISREG(mode):
                raise error_type(f"{path} is not a file.", fix)
            data = stream.read(limit + 1)
            if mode & 0o077 and data.startswith(start):
                raise error_type(
                    f"Others may read {path} (mode {stat.S_IMODE(mode):04o}).",
                    f"Make it private: chmod 600 {shlex.quote(str(path))}",
                )
    except OSError as error:
        raise error_type(f"Cannot read {path}: {error.strerror}.", fix) from error
    if len(data) > limit:
        raise error_type(f"{path} is too large to be a key file.", fix)
    return data
