"""This machine's C compiler: finds it, and builds a library or program once for the same text."""

from __future__ import annotations

import fcntl
import functools
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from rbnn.errors import RbnnError
from rbnn.places import make_cache, unwritable
from rbnn.programs import install_command

_LINKING = ("-Wl,", "-l", "-L", "-shared", "-T")
"""How flags begin that the linker reads."""
_MACHINE = "-DRBNN_HOST_MACHINE="
"""How the macro begins that stands for this machine's instructions."""


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
            return (*flags, f"{_MACHINE}0x{found}")
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

    A source is compiled once for all programs whose flags for the compiler are the same.

    Args:
        name: file name of the result.
        command: the compiler and its flags, in front of the sources.
        sources: C and assembly files, and objects.
        headers: what they include and may change.
        cache: folder for results.
        version: of what the command names but the key does not see.

    Returns:
        Path of the program or library.

    Raises:
        CompilerError: the compiler refuses the sources, or the folder cannot be written.
    """
    # What is in the folders of headers counts, not where they are.
    named = [flag for flag in command if not flag.startswith("-I")]
    key = hashlib.sha256("\0".join([*named, version]).encode())
    for path in [*sources, *headers]:
        key.update(path.read_bytes())
    native = cache / "native"
    result = native / key.hexdigest()[:16] / name
    if result.is_file():
        return result
    flags = [*(flag for flag in command if not flag.startswith(_LINKING)), "-c"]
    try:
        make_cache(native)
        with ThreadPoolExecutor(os.cpu_count()) as threads:
            objects = threads.map(lambda source: _compile(source, flags, native), sources)
            _make(result, [*command, *map(str, objects)])
    except subprocess.CalledProcessError as error:
        raise CompilerError(
            f"{Path(command[0]).name} cannot build {name}: {error.stderr.strip()[:2000]}",
            f"Install compiler and headers: {install_command('cc')}",
        ) from error
    except OSError as error:
        raise unwritable(result.parent, error) from error
    return result


def _compile(source: Path, command: Sequence[str], native: Path) -> Path:
    """The object of a source, which may be one already."""
    if source.suffix == ".o":
        return source
    # The preprocessed text counts, not the folders and macros that it comes from.
    flags = [
        flag
        for flag in command
        if flag.startswith(_MACHINE) or not flag.startswith(("-D", "-I", "-isystem"))
    ]
    text = _run([*command, "-E", str(source)])
    for flag in command:
        if flag.startswith("-I"):
            text = text.replace(f'"{flag[2:]}/', '"')
    key = hashlib.sha256("\0".join([*flags, text]).encode())
    result = native / key.hexdigest()[:16] / f"{source.stem}.o"
    if not result.is_file():
        _make(result, [*command, str(source)])
    return result


def _make(result: Path, command: Sequence[str]) -> None:
    """Run the compiler, unless another process has made the result meanwhile."""
    result.parent.mkdir(parents=True, exist_ok=True)
    with _alone(result.parent), tempfile.TemporaryDirectory(dir=result.parent) as temporary:
        if not result.is_file():
            built = Path(temporary) / result.name
            _run([*command, "-o", str(built)])
            built.replace(result)


def _run(command: Sequence[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Reserve a folder for this thread."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
