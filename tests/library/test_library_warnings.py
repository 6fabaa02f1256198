"""A library's sources, header and examples compile without a warning with gcc and Clang for every
kind of core, without include paths or flags of their own. (gcc for this machine and the Cortex-M:
test_library_on_cores.py, test_build_systems.py.)"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from builds import WARNINGS, have, place
from life import Life, make_life

PICOLIBC = Path("/usr/lib/picolibc/riscv64-unknown-elf/include")
NEWLIB = Path("/usr/lib/arm-none-eabi/include")
ARM = {
    "cortex-m0plus": "thumbv6m-none-eabi",
    "cortex-m3": "thumbv7m-none-eabi",
    "cortex-m4": "thumbv7em-none-eabi",
    "cortex-m7": "thumbv7em-none-eabi",
    "cortex-m33": "thumbv8m.main-none-eabi",
}
RV32 = ("-march=rv32imc", "-mabi=ilp32")
CLANG = {
    **{
        core: (f"--target={target}", f"-mcpu={core}", "-mfloat-abi=soft", f"-isystem{NEWLIB}")
        for core, target in ARM.items()
    },
    "rv32imc": ("--target=riscv32-unknown-elf", *RV32, f"-isystem{PICOLIBC}"),
    "x86-64": (),
}
GCC = {
    "cortex-m0plus": ("arm-none-eabi-gcc", "-mcpu=cortex-m0plus", "-mthumb"),
    "rv32imc": ("riscv64-unknown-elf-gcc", *RV32, "--specs=picolibc.specs"),
}
MORE = ("-Wshadow", "-Wundef", "-Wstrict-prototypes")


@pytest.fixture(scope="module")
def life(random_export: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Life:
    folder = tmp_path_factory.mktemp("warnings") / "library"
    tasks = (("colour", 10, 3), ("sound", 4, 1))
    return make_life(
        *(random_export, folder), architecture="reactnet", ends=8, side=32,
        tasks=tasks, sounds=("sound",),
    )  # fmt: skip


def compile_all(life: Life, folder: Path, command: Sequence[str], *suffixes: str) -> None:
    """Compile the library and its examples, once for the same files; only the examples get an
    include path, to the header."""
    passed = place(life.folder, *command, *suffixes)
    if passed.is_file():
        return
    sources = sorted(
        path for path in life.folder.rglob("*") if path.suffix in suffixes and path.is_file()
    )
    for part in (life.folder / "src", life.folder / "examples"):
        chosen = [path for path in sources if part in path.parents]
        if "riscv" in command[0] or "arm" in command[0] or "--target" in " ".join(command):
            chosen = [path for path in chosen if path.name != "workstation.c"]
        include = [f"-I{life.folder / 'src'}"] if part.name == "examples" else []
        if chosen:
            done = subprocess.run(
                [*command, *WARNINGS, *include, *map(str, chosen)],
                cwd=folder, capture_output=True, text=True,
            )  # fmt: skip
            assert done.returncode == 0 and done.stderr == "", done.stderr[:3000]
    passed.touch()


@pytest.mark.parametrize(
    "target",
    [
        pytest.param(target, marks=pytest.mark.full if target == "cortex-m7" else ())
        for target in CLANG
    ],
)
def test_clang(target: str, life: Life, tmp_path: Path) -> None:
    needed = {"rv32imc": PICOLIBC, "x86-64": Path("/usr/include")}.get(target, NEWLIB)
    if not have("clang") or not needed.is_dir():
        pytest.skip("apt-get install clang libnewlib-arm-none-eabi picolibc-riscv64-unknown-elf")
    command = ("clang", *CLANG[target])
    compile_all(life, tmp_path, (*command, "-std=c11", *MORE, "-fsyntax-only"), ".c")
    compile_all(life, tmp_path, (*command, "-c"), ".S")


@pytest.mark.parametrize("target", GCC)
def test_gcc(target: str, life: Life, tmp_path: Path) -> None:
    command = GCC[target]
    if not have(command[0]) or (target == "rv32imc" and not PICOLIBC.is_dir()):
        pytest.skip("apt-get install gcc-arm-none-eabi gcc-riscv64-unknown-elf "
                    "picolibc-riscv64-unknown-elf")  # fmt: skip
    compile_all(life, tmp_path, (*command, "-std=c11", *MORE, "-Os", "-c"), ".c", ".S")


@pytest.mark.skipif(not have("clang"), reason="apt-get install clang")
def test_the_header_serves_cpp(life: Life, tmp_path: Path) -> None:
    program = tmp_path / "program.cpp"
    program.write_text(
        '#include "rbnn.h"\nstatic rbnn_context context;\n'
        "int main() { return rbnn_check_device(&context); }\n"
    )
    command = ["clang++", "-std=c++11", *WARNINGS, "-Wpedantic", "-fsyntax-only"]
    done = subprocess.run(
        [*command, f"-I{life.folder / 'src'}", str(program)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


PRELUDE = """
#include <stddef.h>
#include "rbnn.h"
static rbnn_context context;
static uint32_t memory[RBNN_MEMORY_BYTES / 4u];
static rbnn_listener listener;
rbnn_status live(uint8_t *pattern, const uint8_t *partition, const rbnn_flash *pages,
                 const uint8_t *licence, const uint8_t *user_key, const uint8_t *pixels,
                 const int16_t *samples, uint32_t count, void (*show)(const char *text));
rbnn_status live(uint8_t *pattern, const uint8_t *partition, const rbnn_flash *pages,
                 const uint8_t *licence, const uint8_t *user_key, const uint8_t *pixels,
                 const int16_t *samples, uint32_t count, void (*show)(const char *text))
{
  const rbnn_flash flash = *pages;
  uint8_t key[RBNN_KEY_BYTES];
"""


def test_the_tutorial_in_the_header_compiles(life: Life, tmp_path: Path) -> None:
    tutorial = (life.folder / "src" / "rbnn.h").read_text().split("#ifndef")[0]
    code = re.findall(r"^ \*   ((?:  )*\S.*)$", tutorial, re.M)
    start = next(number for number, line in enumerate(code) if "const rbnn_setup" in line)
    steps = code[start:]
    assert len(steps) > 20
    for name in (
        "start",
        "enroll",
        "add_licence",
        "unlock",
        "switch",
        "infer",
        "listen",
        "hear",
        "lock",
    ):
        assert any(f"rbnn_{name}(&context" in line for line in steps), name
    program = tmp_path / "tutorial.c"
    program.write_text(PRELUDE + "\n".join(steps) + "\n  return status;\n}\n")
    done = subprocess.run(
        ["gcc", "-std=c11", *WARNINGS, f"-I{life.folder / 'src'}", "-c", str(program),
         "-o", str(tmp_path / "tutorial.o")],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
