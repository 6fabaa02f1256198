"""Build the firmware's C sources with this machine's compiler, once for the same text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import rbnn.compiler
from rbnn import monocypher
from rbnn.compiler import CompilerError, build_once
from rbnn.container.errors import ExportError
from rbnn.places import cache_folder, firmware_folder

FIRMWARE = firmware_folder()
MONOCYPHER = monocypher.folder()
"""Empty until :func:`rbnn.monocypher.provide` has been called."""
INCLUDES = (FIRMWARE,)
"""Headers are named by their path from here."""
SANITIZERS = (
    *("-fsanitize=address,undefined", "-fno-sanitize-recover=all"),
    *("-fno-omit-frame-pointer", "-g"),
)


def engine_sources() -> list[Path]:
    """The C files of engine, reconfiguration and batch runner, Monocypher's included.

    Raises:
        RbnnError: Monocypher's files cannot be fetched.
    """
    own = room_sources("crypto", "core", "reconf", "host")
    return [*own, monocypher.provide() / "monocypher.c"]


def room_sources(*rooms: str) -> list[Path]:
    """The C files of some folders of ``firmware/``, those of folders in them included."""
    return [path for room in rooms for path in sorted((FIRMWARE / room).rglob("*.c"))]


def compiler() -> str:
    """Path of the host's C compiler.

    Raises:
        ExportError: there is none.
    """
    try:
        return rbnn.compiler.compiler()
    except CompilerError as error:
        raise ExportError(error.what, error.fix) from error


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
    folders = [*INCLUDES, *(Path(flag[2:]) for flag in flags if flag.startswith("-I"))]
    headers = sorted(header for folder in folders for header in folder.rglob("*.h"))
    command = [compiler(), "-std=c11", "-fno-strict-aliasing", *flags]
    command += [f"-I{folder}" for folder in INCLUDES] + [f"-isystem{MONOCYPHER}"]
    try:
        return build_once(
            name, command, sources, headers, cache_folder() if cache is None else cache
        )
    except CompilerError as error:
        raise ExportError(error.what, error.fix) from error
