"""Where PlatformIO works: the repository, or a folder that shows it under a plain name.

PlatformIO and SCons hand paths to a shell, to their own interpolation and to the linker's comma
lists. A space, a bracket, ``&``, ``'``, ``$``, ``#`` or a letter outside ASCII breaks one of them.
So a repository or a model with such a path is built through symbolic links in a plain folder.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from rbnn.errors import RbnnError
from rbnn.image.errors import BuildError
from rbnn.image.paths import boards_folder, cache_folder, firmware_folder, repository

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

    def named_plainly(self, folder: Path, name: str) -> Path:
        """The absolute path of ``folder`` if it is plain; otherwise that of a link to it."""
        path = folder.absolute()
        if is_plain(path):
            return path
        link = self.cache / "named" / name
        _link(link, path)
        return link


def is_plain(path: Path) -> bool:
    """Whether a build can use the path as it is."""
    return _PLAIN.fullmatch(str(path)) is not None


def workplace() -> Workplace:
    """The folders in which this repository's firmware is built; made if missing.

    Raises:
        RbnnError: they cannot be made.
    """
    if is_plain(repository()):
        return Workplace(firmware_folder(), cache_folder())
    place = _own_folder() / hashlib.sha256(os.fsencode(repository())).hexdigest()[:16]
    firmware = firmware_folder()
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


def _link(link: Path, target: Path) -> None:
    """Make ``link`` point to ``target``."""
    try:
        if link.is_symlink():
            if os.readlink(link) == str(target):
                return
            link.unlink()
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(target)
    except OSError as error:
        raise RbnnError(
            f"Cannot make {link}: {error.strerror}.", "Free some space, or remove what is there."
        ) from error


def _unusable(folder: Path, why: str) -> BuildError:
    return BuildError(
        f"The firmware is built in {folder}, because the path {repository()} has characters that "
        f"PlatformIO cannot handle; but {why}.",
        "Remove that folder, or move the repository to a path of letters, digits, - and _.",
    )
