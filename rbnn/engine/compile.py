"""Build the firmware's C sources with this machine's compiler, once for the same text."""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rbnn.container.errors import ExportError
from rbnn.tasks.cache import cache_folder

FIRMWARE = Path(__file__).resolve().parents[2] / "firmware"
MONOCYPHER = FIRMWARE / "third_party" / "monocypher"
INCLUDES = (FIRMWARE,)
"""Headers are named by their path from here."""
SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g")


def engine_sources() -> list[Path]:
    """The C files of engine, reconfiguration and batch runner, Monocypher's included.

    Raises:
        ExportError: Monocypher's files are not laid out.
    """
    if not (MONOCYPHER / "monocypher.c").is_file():
        raise ExportError(
            f"{MONOCYPHER / 'monocypher.c'} is missing.", "Lay it out with: make setup"
        )
    return [*room_sources("crypto", "core", "reconf", "host"), MONOCYPHER / "monocypher.c"]


def room_sources(*rooms: str) -> list[Path]:
    """The C files of some folders of ``firmware/``, those of folders in them included."""
    return [path for room in rooms for path in sorted((FIRMWARE / room).rglob("*.c"))]


def compiler() -> str:
    """Path of the host's C compiler.

    Raises:
        ExportError: there is none.
    """
    for name in (os.environ.get("CC", "cc"), "gcc", "clang"):
        if found := shutil.which(name):
            return found
    raise ExportError("No C compiler on the PATH.", "Install one: apt-get install gcc libc6-dev")


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


def compile_native(
    name: str, sources: Sequence[Path], flags: Sequence[str], cache: Path | None = None
) -> Path:
    """Compile and link C sources for this machine, once for the same text, flags and compiler.

    Args:
        name: file name of the result.
        sources: C files; they name headers by their path in ``firmware/``.
        flags: beside the language and the include paths, which all builds share.
        cache: folder for results, by default the user's.

    Returns:
        Path of the program or library.

    Raises:
        ExportError: no compiler, or it refuses the sources.
    """
    program = compiler()
    folders = [*INCLUDES, *(Path(flag[2:]) for flag in flags if flag.startswith("-I"))]
    headers = sorted(header for folder in folders for header in folder.rglob("*.h"))
    key = hashlib.sha256("\0".join([program, *flags]).encode())
    for path in [*sources, *headers]:
        key.update(path.read_bytes())
    folder = (cache_folder() if cache is None else cache) / "native" / key.hexdigest()[:16]
    result = folder / name
    if result.is_file():
        return result
    command = [program, "-std=c11", "-fno-strict-aliasing", *flags]
    command += [f"-I{folder}" for folder in INCLUDES] + [f"-isystem{MONOCYPHER}"]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as temporary:
            built = Path(temporary) / name
            command += [*map(str, sources), "-o", str(built)]
            subprocess.run(command, check=True, capture_output=True, text=True)
            built.replace(result)
    except subprocess.CalledProcessError as error:
        raise ExportError(
            f"{Path(program).name} cannot build {name}: {error.stderr.strip()[:2000]}",
            "Install compiler and headers: apt-get install gcc libc6-dev",
        ) from error
    except OSError as error:
        raise ExportError(
            f"Cannot build {name} in {folder}: {error.strerror or error}.",
            "Free some space, or name another cache folder in RBNN_CACHE.",
        ) from error
    return result
