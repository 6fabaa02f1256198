"""This machine's C compiler: finds it, and builds a library or program once for the same text."""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rbnn.errors import RbnnError
from rbnn.places import make_cache, unwritable
from rbnn.programs import install_command


class CompilerError(RbnnError):
    """There is no compiler, or it does not build something."""


def compiler() -> str:
    """Path of the host's C compiler.

    Raises:
        CompilerError: there is none.
    """
    for name in (os.environ.get("CC", "cc"), "gcc", "clang"):
        if found := shutil.which(name):
            return found
    raise CompilerError("No C compiler on the PATH.", f"Install one: {install_command('cc')}")


@functools.cache
def native_flags(program: str) -> tuple[str, ...]:
    """Flags for code that runs on this machine alone.

    Args:
        program: path of the compiler.

    Returns:
        What makes it use all of the machine's instructions, none where it knows no such flag; and
        a macro that stands for what these are, so that no cache gives another machine's library.
    """
    # Intel's and AMD's wide vectors, then any other processor's; Arm's compilers know -mcpu alone.
    wide = ("-march=native", "-mprefer-vector-width=512")
    for flags in (wide, wide[:1], ("-mcpu=native",), ()):
        asked = subprocess.run(
            [program, *flags, "-dM", "-E", "-x", "c", os.devnull], capture_output=True
        )
        if asked.returncode == 0:
            found = hashlib.sha256(asked.stdout).hexdigest()[:16]
            return (*flags, f"-DRBNN_HOST_MACHINE=0x{found}")
    return ()


def build_once(
    name: str,
    command: Sequence[str],
    sources: Sequence[Path],
    headers: Sequence[Path],
    cache: Path,
    version: str = "",
) -> Path:
    """Compile and link C sources, once for the same text and command.

    Args:
        name: file name of the result.
        command: the compiler and its flags, in front of the sources.
        sources: C files.
        headers: what they include and may change.
        cache: folder for results.
        version: of what the command names but the key does not see.

    Returns:
        Path of the program or library.

    Raises:
        CompilerError: the compiler refuses the sources, or the folder cannot be written.
    """
    key = hashlib.sha256("\0".join([*command, version]).encode())
    for path in [*sources, *headers]:
        key.update(path.read_bytes())
    folder = cache / "native" / key.hexdigest()[:16]
    result = folder / name
    if result.is_file():
        return result
    try:
        make_cache(folder)
        with tempfile.TemporaryDirectory(dir=folder) as temporary:
            built = Path(temporary) / name
            subprocess.run(
                [*command, *map(str, sources), "-o", str(built)],
                check=True,
                capture_output=True,
                text=True,
            )
            built.replace(result)
    except subprocess.CalledProcessError as error:
        raise CompilerError(
            f"{Path(command[0]).name} cannot build {name}: {error.stderr.strip()[:2000]}",
            f"Install compiler and headers: {install_command('cc')}",
        ) from error
    except OSError as error:
        raise unwritable(folder, error) from error
    return result
