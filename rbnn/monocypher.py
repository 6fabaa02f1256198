"""Lay out Monocypher's two C files: ``python -m rbnn.monocypher [ARCHIVE]``.

They come from pymonocypher's source distribution, which pip gets from the package index that it is
configured for, and which is pinned by its hash; each of the two files is checked against its own
hash as well. Nothing is compiled here, but pip reads the distribution's metadata, which takes
setuptools: the installed one or, if that is missing or old, one that pip gets for the purpose.

Whatever compiles them calls :func:`provide`, so an installed package brings them on first use.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import re
import shlex
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from rbnn import places
from rbnn.errors import RbnnError
from rbnn.files import write_atomic

PROJECT = "pymonocypher"
REQUIREMENT = f"{PROJECT}==4.0.3.4"
SDIST_SHA256 = "5e56e3d3eb770a53e0b9f6274146663c11a11f3d0de5cd48e3be0428d1b07a4a"
FILES = {
    "monocypher.c": "57eb914fc88136119bd41655cccb8c250048bf54d470540625186f8ab16f64be",
    "monocypher.h": "c494da712122da7ff679fdcf318a5317e84972b6c950fe9d896212947797facd",
}
"""SHA-256 of each file."""
COMPLETE_SETUPTOOLS = (70, 1)
"""The first that needs no package ``wheel``."""


def folder() -> Path:
    """The folder of the two files."""
    return places.third_party() / "monocypher"


def is_current(target: Path) -> bool:
    """Whether ``target`` holds exactly the pinned files."""
    try:
        return all(
            hashlib.sha256((target / name).read_bytes()).hexdigest() == digest
            for name, digest in FILES.items()
        )
    except OSError:
        return False


def extract(archive: Path) -> dict[str, bytes]:
    """Take the two files out of the source distribution.

    Args:
        archive: the ``.tar.gz``.

    Raises:
        RbnnError: the archive cannot be read, or it or a file in it is not the pinned one.
    """
    try:
        digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    except OSError as error:
        raise RbnnError(
            f"Cannot read {archive}: {error.strerror}.", f"Name {REQUIREMENT}'s .tar.gz file."
        ) from error
    if digest != SDIST_SHA256:
        raise RbnnError(
            f"{archive.name} has the SHA-256 {digest}, not the pinned {SDIST_SHA256}.",
            "Delete it and check your package index.",
        )
    contents: dict[str, bytes] = {}
    with tarfile.open(archive) as tar:
        for member in tar:
            name = Path(member.name).name
            stream = tar.extractfile(member) if name in FILES and member.isfile() else None
            if stream is None:
                continue
            data = stream.read()
            if hashlib.sha256(data).hexdigest() == FILES[name]:
                contents[name] = data
    missing = sorted(set(FILES) - set(contents))
    if missing:
        raise RbnnError(f"{archive.name} does not hold the pinned {', '.join(missing)}.")
    return contents


def download(target: Path) -> Path:
    """Fetch the source distribution into folder ``target``.

    Raises:
        RbnnError: there is no pip, or the package index cannot be reached or serves another file.
    """
    if not _has("pip"):
        raise RbnnError(
            f"{_MISSING}, and this Python environment has no pip to fetch {REQUIREMENT} with.",
            f"Run: {_python()} -m ensurepip; or fetch its .tar.gz with another tool, and run: "
            f"{_command()} ARCHIVE",
        )
    requirements = target / "requirements.txt"
    requirements.write_text(f"{REQUIREMENT} --hash=sha256:{SDIST_SHA256}\n")
    command = [
        sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
        "--no-input", "--no-deps", "--no-binary", PROJECT, "--require-hashes",
        "--dest", str(target), "--requirement", str(requirements),
    ]  # fmt: skip
    if _has("setuptools") and (_has("wheel") or _setuptools() >= COMPLETE_SETUPTOOLS):
        command.append("--no-build-isolation")
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    archives = sorted(target.glob("*.tar.gz"))
    if done.returncode or not archives:
        raise RbnnError(
            f"{_MISSING}, and pip cannot download {REQUIREMENT}: {_reason(done.stderr)}.",
            f"Check the network and pip's package index, then run: {_command()}; without a "
            f"network, fetch its .tar.gz elsewhere, and run: {_command()} ARCHIVE",
        )
    return archives[0]


def lay_out(target: Path, archive: Path | None = None) -> bool:
    """Make ``target`` hold the pinned files.

    Args:
        target: the folder.
        archive: the source distribution; None to download it.

    Returns:
        Whether anything had to be done.

    Raises:
        RbnnError: see :func:`download` and :func:`extract`; or ``target`` cannot be written.
    """
    if is_current(target):
        return False
    if archive is None:
        with tempfile.TemporaryDirectory() as temporary:
            contents = extract(download(Path(temporary)))
    else:
        contents = extract(archive)
    places.make_cache(target)
    for name, data in contents.items():
        write_atomic(target / name, data)
    return True


def provide() -> Path:
    """The folder of the two files, which are fetched if they are not there.

    Raises:
        RbnnError: see :func:`lay_out`.
    """
    lay_out(folder())
    return folder()


_MISSING = "Monocypher's C files are not here yet"


def _setuptools() -> tuple[int, ...]:
    """The version of the installed setuptools."""
    return tuple(map(int, re.findall(r"\d+", importlib.metadata.version("setuptools"))[:2]))


def _has(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def _reason(printed: str) -> str:
    """What pip gives as the reason of a failure: its last error, or else its last line."""
    lines = [line.strip() for line in printed.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR: ")]
    return [*(lines or ["it brought no file"])[-1:], *errors][-1].rstrip(".")


def _python() -> str:
    return shlex.quote(sys.executable)


def _command() -> str:
    return f"{_python()} -m rbnn.monocypher"


def main(arguments: list[str]) -> int:
    """Entry point of ``python -m rbnn.monocypher``."""
    try:
        changed = lay_out(folder(), Path(arguments[0]) if arguments else None)
    except RbnnError as error:
        print(f"error: {error.what}", file=sys.stderr)
        if error.fix:
            print(f"try: {error.fix}", file=sys.stderr)
        return error.exit_code
    print(f"Monocypher is {'unpacked' if changed else 'current'} in {folder()}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
