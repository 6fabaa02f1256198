"""Where rbnn's own files are, and where what it builds and fetches is kept.

``firmware/``, ``boards/`` and ``models/seven`` are at the top of a clone. The wheel holds them in
``rbnn/shipped`` (setup.py), and nothing is ever written there.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import functools
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from rbnn.errors import RbnnError
from rbnn.files import make_writable

CACHE_VARIABLE = "RBNN_CACHE"
_PACKAGE = Path(__file__).resolve().parent
_SHIPPED = _PACKAGE / "shipped"


class CacheError(RbnnError):
    """The cache folder cannot be written."""


def is_installed() -> bool:
    """Whether this is an installed package, and not a clone of the repository."""
    return _SHIPPED.is_dir()


def sources() -> Path:
    """The folder that holds ``firmware/``, ``boards/`` and ``models/seven``; only to be read."""
    return _SHIPPED if is_installed() else _PACKAGE.parent


def firmware_folder() -> Path:
    """The PlatformIO project."""
    return sources() / "firmware"


def boards_folder() -> Path:
    """Board manifests and linker scripts."""
    return sources() / "boards"


def shipped_model() -> Path:
    """The packed seven-task model."""
    return sources() / "models" / "seven"


def repository() -> Path:
    """The clone that this package is in, for what changes its files.

    Raises:
        RbnnError: it is an installed package.
    """
    if is_installed():
        raise RbnnError(
            f"{_PACKAGE} is an installed package; this changes files of the repository.",
            "Run it in a clone of rbnn's repository.",
        )
    return _PACKAGE.parent


def cache_folder() -> Path:
    """The user's cache: ``$RBNN_CACHE``, or else the platform's folder for it; an absolute path.

    Data sets, libraries built for this machine and, of an installed package, firmware builds and
    fetched sources. All of it can be deleted at any time.
    """
    if folder := os.environ.get(CACHE_VARIABLE):
        with contextlib.suppress(RuntimeError):  # ~ where nobody has a home
            return Path(folder).expanduser().absolute()
        return Path(folder).absolute()
    import platformdirs

    return Path(platformdirs.user_cache_dir("rbnn", appauthor=False)).absolute()


def build_cache() -> Path:
    """Where firmware is built: ``.cache`` of a clone, else a folder of the user's cache for exactly
    these sources."""
    if not is_installed():
        return _PACKAGE.parent / ".cache"
    return cache_folder() / "firmware" / _key(sources())


def third_party() -> Path:
    """Where fetched sources are laid out: ``firmware/third_party`` of a clone, else the user's
    cache."""
    if not is_installed():
        return firmware_folder() / "third_party"
    return cache_folder() / "third_party"


def make_cache(folder: Path) -> Path:
    """Make a folder of the cache.

    Raises:
        CacheError: it cannot be made or written.
    """
    try:
        make_writable(folder)
    except OSError as error:
        raise unwritable(folder, error) from error
    return folder


def unwritable(path: Path, error: OSError) -> CacheError:
    """The error for something in the cache that cannot be written."""
    reason = error.strerror or str(error)
    fix = f"name another cache folder in {CACHE_VARIABLE}."
    if not is_installed() and path.is_relative_to(_PACKAGE.parent):
        fix = "install rbnn from this clone (pip install .): it then builds in your cache folder."
    free = error.errno in (errno.ENOSPC, errno.EDQUOT)
    return CacheError(
        f"Cannot write {path}: {reason}.",
        f"{'Free some space' if free else 'Make it writable'}, or {fix}",
    )


@contextlib.contextmanager
def alone(folder: Path, name: str) -> Iterator[None]:
    """Wait until no other process of this user holds ``name`` in ``folder``, and hold it.

    Raises:
        CacheError: the folder cannot be written.
    """
    path = make_cache(folder) / f"{name}.lock"
    try:
        lock = path.open("a")
    except OSError as error:
        raise unwritable(path, error) from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@functools.cache
def _key(folder: Path) -> str:
    """Of a folder's path and of all that it holds."""
    key = hashlib.sha256(os.fsencode(folder))
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            key.update(b"\0" + os.fsencode(path.relative_to(folder)) + b"\0")
            key.update(hashlib.sha256(path.read_bytes()).digest())
    return key.hexdigest()[:16]
