"""Where PlatformIO works: rbnn's own folders, or one that shows them under a plain name.

PlatformIO and SCons hand paths to a shell, to their own interpolation and to the linker's comma
lists. A space, a bracket, ``&``, ``'``, ``$``, ``#`` or a letter outside ASCII breaks one of them.
So sources or a model with such a path are built through symbolic links in a plain folder; if the
cache has such a path, the build is in a plain folder, too.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from rbnn.image.errors import BuildError
from rbnn.places import (
    CACHE_VARIABLE,
    boards_folder,
    build_cache,
    firmware_folder,
    is_installed,
    make_cache,
    unwritable,
)

PLATFORM = "platform"
"""The folder of firmware/ with PlatformIO's development platform."""
_PLAIN = re.compile(r"[A-Za-z0-9/._+@-]+")


@dataclass(frozen=True)
class Workplace:
    """The folders of a build; their paths have plain names only.

    Args:
        project: the PlatformIO project, with ``../boards`` next to it.
        cache: for everything that a build makes.
    """

    project: Path
    cache: Path

    def named_plainly(self, folder: Path) -> Path:
        """The absolute path of ``folder`` if it is plain; otherwise that of a link to it."""
        path = folder.absolute()
        if is_plain(path):
            return path
        link = self.cache / "named" / _digest(path)
        _link(link, path)
        return link


def is_plain(path: Path) -> bool:
    """Whether a build can use the path as it is."""
    return _PLAIN.fullmatch(str(path)) is not None


def workplace() -> Workplace:
    """The folders in which the firmware is built.

    Raises:
        RbnnError: they cannot be made.
    """
    cache = build_cache()
    firmware = firmware_folder()
    if is_plain(firmware) and is_plain(cache):
        return Workplace(firmware, cache)
    place = cache if is_plain(cache) else _own_folder() / _digest(cache)
    # PlatformIO looks for its platform where the last link points: links to its files, then.
    shown = [child for child in firmware.iterdir() if child.name != PLATFORM]
    shown += [file for file in (firmware / PLATFORM).rglob("*") if file.suffix in (".py", ".json")]
    for path in shown:
        _link(place / "firmware" / path.relative_to(firmware), path)
    _link(place / "boards", boards_folder())
    return Workplace(place / "firmware", place / "cache")


def _own_folder() -> Path:
    """This user's folder for temporary files with a plain path.

    Raises:
        BuildError: another user owns it: what he puts there would be compiled.
    """
    usual = Path(tempfile.gettempdir())
    base = usual if is_plain(usual) else Path("/tmp")
    folder = base / f"rbnn-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError as error:
        raise _unusable(folder, error.strerror or str(error)) from error
    is_own = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()
    if not is_own or found.st_mode & 0o022:
        raise _unusable(folder, "others can write to it")
    return folder


def _digest(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:16]


def _link(link: Path, target: Path) -> None:
    """Make ``link`` point to ``target``, also while another process does the same."""
    if link.is_symlink() and os.readlink(link) == str(target):
        return
    made = make_cache(link.parent) / f".{link.name}.{os.getpid()}"
    try:
        made.unlink(missing_ok=True)
        made.symlink_to(target)
        made.replace(link)
    except OSError as error:
        raise unwritable(link, error) from error


def _elsewhere() -> str:
    return f"let {CACHE_VARIABLE} name" if is_installed() else "move the repository to"


def _unusable(folder: Path, why: str) -> BuildError:
    return BuildError(
        f"The firmware is built in {folder}, because the path {build_cache()} has characters that "
        f"PlatformIO cannot handle; but {why}.",
        f"Remove that folder, or {_elsewhere()} a path of letters, digits, - and _.",
    )
