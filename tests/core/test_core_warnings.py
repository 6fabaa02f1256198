"""The core compiles without a warning, for this machine and for a Cortex-M4."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from rbnn.engine.compile import FIRMWARE, INCLUDES, MONOCYPHER, engine_sources

WARNINGS = ("-Wall", "-Wextra", "-Wconversion", "-Wpedantic", "-Wshadow", "-Werror")
COMPILERS = {
    "gcc": (),
    "clang": (),
    "arm-none-eabi-gcc": ("-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=soft"),
}
SOURCES = [path for path in engine_sources() if MONOCYPHER not in path.parents]


@pytest.mark.parametrize("compiler", COMPILERS)
def test_no_warnings(compiler: str, tmp_path: Path) -> None:
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed")
    for source in SOURCES:
        if source.parent.name == "host" and compiler.startswith("arm"):
            continue
        result = subprocess.run(
            [compiler, "-std=c11", "-O2", *WARNINGS, *COMPILERS[compiler],
             *(f"-I{folder}" for folder in INCLUDES), f"-isystem{MONOCYPHER}",
             "-c", source, "-o", tmp_path / "object.o"],
            capture_output=True, text=True,
        )  # fmt: skip
        assert result.returncode == 0, result.stderr


def test_core_needs_no_library_beyond_memory_and_strings(tmp_path: Path) -> None:
    """No malloc, no floating point, no popcount table: what the core calls, a firmware has."""
    if shutil.which("arm-none-eabi-gcc") is None:
        pytest.skip("arm-none-eabi-gcc is not installed")
    wanted: set[str] = set()
    own: set[str] = set()
    sources = [source for source in SOURCES if source.parent.name == "core"]
    for source in [*sources, *(FIRMWARE / "core").glob("*.S")]:
        thing = tmp_path / f"{source.stem}.o"
        subprocess.run(
            ["arm-none-eabi-gcc", "-std=c11", "-O2", *COMPILERS["arm-none-eabi-gcc"],
             *(f"-I{folder}" for folder in INCLUDES), "-c", source, "-o", thing],
            check=True,
        )  # fmt: skip
        names = subprocess.run(
            ["arm-none-eabi-nm", thing], check=True, capture_output=True, text=True
        ).stdout
        for line in names.splitlines():
            kind, name = line.split()[-2:]
            (wanted if kind == "U" else own).add(name)
    division = {"__aeabi_uldivmod", "__aeabi_ldivmod"}
    assert wanted - own <= {"memcpy", "memset", "memcmp", "strncmp"} | division
