"""The device's code compiles without a warning, for this machine and for every core that
spec/target.h tells apart.
"""

from __future__ import annotations

import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from rbnn.compiler import _compile
from rbnn.engine.compile import FIRMWARE, INCLUDES, MONOCYPHER, room_sources
from rbnn.places import cache_folder, make_cache

WARNINGS = ("-Wall", "-Wextra", "-Wconversion", "-Wpedantic", "-Wshadow", "-Wundef", "-Werror")
ROOMS = ("crypto", "core", "puf", "reconf", "store", "licence", "device")
CORES = {
    "cortex-m0plus": (0, 0),
    "cortex-m23": (0, 0),
    "cortex-m3": (1, 0),
    "cortex-m4": (1, 1),
    "cortex-m7": (1, 1),
    "cortex-m33": (1, 1),
    "cortex-m33+nodsp": (1, 0),
    "cortex-m55": (1, 1),
}
"""RBNN_TARGET_V7M and RBNN_TARGET_V7EM of each."""
TWINS = ("cortex-m23", "cortex-m7", "cortex-m55")
"""Get the code of the Cortex-M0+, of the M4 and of the M33; in ``make test-full`` only."""
ALIKE = pytest.mark.full
ARM = "arm-none-eabi-gcc"


Compiled = tuple[str, Path, list[Path]]
"""A core, a folder, and in it the objects of all rooms for the core."""


def compile_all(folder: Path, command: tuple[str, ...], sources: list[Path]) -> list[Path]:
    """Compile each file, once for the same text; returns the objects, named like the files."""
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    words = [*command, *WARNINGS, "-O2", *(f"-I{path}" for path in INCLUDES)]
    words += [f"-isystem{MONOCYPHER}", "-c"]
    native = make_cache(cache_folder() / "native")
    objects = []
    for source in sources:
        try:
            compiled = _compile(source, words, native)
        except subprocess.CalledProcessError as error:
            pytest.fail(error.stderr)
        objects.append(shutil.copyfile(compiled, folder / f"{source.name}.o"))
    return objects


def compile_core(folder: Path, cpu: str, *rooms: str) -> list[Path]:
    """Compile C and assembly of some rooms for a core."""
    assembly = [path for room in rooms for path in sorted((FIRMWARE / room).rglob("*.S"))]
    command = (ARM, "-std=c11", f"-mcpu={cpu}", "-mthumb", "-mfloat-abi=soft")
    return compile_all(folder, command, [*room_sources(*rooms), *assembly])


def symbols(objects: list[Path]) -> tuple[Counter[str], set[str]]:
    """What all objects together define, weak or not and how often, and what they use."""
    own: Counter[str] = Counter()
    wanted: set[str] = set()
    for thing in objects:
        names = subprocess.run(
            ["arm-none-eabi-nm", "--extern-only", thing], check=True, capture_output=True, text=True
        ).stdout
        for line in names.splitlines():
            kind, name = line.split()[-2:]
            if kind == "U":
                wanted.add(name)
            else:
                own[name] += 1
    return own, wanted


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_no_warnings_here(compiler: str, tmp_path: Path) -> None:
    compile_all(tmp_path, (compiler, "-std=c11"), room_sources(*ROOMS, "host"))


@pytest.fixture(
    scope="module",
    params=[pytest.param(core, marks=ALIKE if core in TWINS else ()) for core in CORES],
)
def compiled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Compiled:
    folder = tmp_path_factory.mktemp(request.param.replace("+", "-"))
    return request.param, folder, compile_core(folder, request.param, *ROOMS)


def test_no_warnings_for_a_core_and_every_function_once(compiled: Compiled) -> None:
    own, wanted = symbols(compiled[2])
    assert {name for name, count in own.items() if count > 1} == set()
    # The compiler's own helpers, Monocypher, and what any C library has.
    library = {"memcpy", "memset", "memcmp", "strncmp", "strlen"}
    missing = {name for name in wanted - set(own) if not name.startswith(("__", "crypto_"))}
    assert missing <= library


def test_a_core_gets_one_kind_of_code_everywhere(compiled: Compiled) -> None:
    cpu, folder, _ = compiled
    for level, suffix in enumerate(("_v7m.S.o", "_v7em.S.o")):
        objects = sorted(folder.glob(f"*{suffix}"))
        assert objects
        for thing in objects:
            assert bool(symbols([thing])[0]) == bool(CORES[cpu][level]), thing.name
    portable = symbols([folder / "chacha.c.o"])[0]
    assert ("rbnn_chacha_blocks" in portable) == (not CORES[cpu][0])


def test_core_needs_no_library_beyond_memory_and_strings(tmp_path: Path) -> None:
    """No malloc, no floating point, no popcount table: what the core calls, a firmware has."""
    own, wanted = symbols(compile_core(tmp_path, "cortex-m4", "core"))
    division = {"__aeabi_uldivmod", "__aeabi_ldivmod"}
    assert wanted - set(own) <= {"memcpy", "memset", "memcmp", "strncmp"} | division
