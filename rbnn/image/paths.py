"""Where the parts of the repository are."""

from __future__ import annotations

from pathlib import Path

from rbnn.errors import RbnnError


def repository() -> Path:
    """The folder that holds ``firmware/`` and ``boards/``.

    Raises:
        RbnnError: this package was installed without them.
    """
    folder = Path(__file__).resolve().parents[2]
    if not (folder / "firmware" / "platformio.ini").is_file():
        raise RbnnError(
            f"{folder} holds no firmware sources.",
            "Install rbnn from a clone of its repository: pip install -e .",
        )
    return folder


def firmware_folder() -> Path:
    """The PlatformIO project."""
    return repository() / "firmware"


def boards_folder() -> Path:
    """Board manifests and linker scripts."""
    return repository() / "boards"


def cache_folder() -> Path:
    """Build products; git-ignored, may be deleted at any time."""
    return repository() / ".cache"
