"""Unpack Monocypher's two C files: ``python -m rbnn.image.monocypher``.

They come from pymonocypher's source distribution on PyPI, which is pinned by its hash; each of the
two files is checked against its own hash as well. Nothing is compiled here, but pip reads the
distribution's metadata with the installed setuptools and cffi.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from rbnn.errors import RbnnError
from rbnn.files import write_atomic
from rbnn.image.paths import firmware_folder

REQUIREMENT = "pymonocypher==4.0.3.4"
SDIST_SHA256 = "5e56e3d3eb770a53e0b9f6274146663c11a11f3d0de5cd48e3be0428d1b07a4a"
FILES = {
    "monocypher.c": "57eb914fc88136119bd41655cccb8c250048bf54d470540625186f8ab16f64be",
    "monocypher.h": "c494da712122da7ff679fdcf318a5317e84972b6c950fe9d896212947797facd",
}
"""SHA-256 of each file."""


def folder() -> Path:
    """The folder of the two files."""
    return firmware_folder() / "third_party" / "monocypher"


def is_current(target: Path) -> bool:
    """Whether ``target`` holds exactly the pinned files."""
    return all(
        (target / name).is_file()
        and hashlib.sha256((target / name).read_bytes()).hexdigest() == digest
        for name, digest in FILES.items()
    )


def extract(archive: Path) -> dict[str, bytes]:
    """Take the two files out of the source distribution.

    Args:
        archive: the ``.tar.gz``.

    Raises:
        RbnnError: the archive or a file in it is not the pinned one.
    """
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
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
        RbnnError: the package index cannot be reached or serves another file.
    """
    requirements = target / "requirements.txt"
    requirements.write_text(f"{REQUIREMENT} --hash=sha256:{SDIST_SHA256}\n")
    command = [
        sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
        "--no-deps", "--no-binary", ":all:", "--no-build-isolation", "--require-hashes",
        "--dest", str(target), "--requirement", str(requirements),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    archives = sorted(target.glob("*.tar.gz"))
    if done.returncode or not archives:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        raise RbnnError(
            f"Cannot download {REQUIREMENT}: {lines[-1] if lines else 'pip brought no file'}.",
            "Check the network, then run: python -m rbnn.image.monocypher",
        )
    return archives[0]


def lay_out(target: Path) -> bool:
    """Make ``target`` hold the pinned files.

    Returns:
        Whether anything had to be done.
    """
    if is_current(target):
        return False
    with tempfile.TemporaryDirectory() as temporary:
        contents = extract(download(Path(temporary)))
    for name, data in contents.items():
        write_atomic(target / name, data)
    return True


def main() -> int:
    """Entry point of ``python -m rbnn.image.monocypher``."""
    try:
        changed = lay_out(folder())
    except RbnnError as error:
        print(f"error: {error.what}", file=sys.stderr)
        if error.fix:
            print(f"try: {error.fix}", file=sys.stderr)
        return error.exit_code
    print(f"Monocypher is {'unpacked' if changed else 'current'} in {folder()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
