"""Libraries built by CMake, kept by content, and linked with a device's life."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from life import Life

from rbnn.bench.measure import version
from rbnn.compiler import build_once
from rbnn.engine.compile import SANITIZERS
from rbnn.places import cache_folder

HERE = Path(__file__).parent
COMPUTER = HERE.parent / "computer"
TOOLCHAIN = HERE / "arm_none_eabi.cmake"
WARNINGS = ("-Wall", "-Wextra", "-Wconversion", "-Werror")
RAM = "sram-size=131072"
TIMEOUT = 120


@dataclass(frozen=True)
class Core:
    """A core that QEMU emulates.

    Args:
        name: as gcc calls it.
        machine: as QEMU calls it, with its options.
        script: linker script.
    """

    name: str
    machine: tuple[str, ...]
    script: Path

    @property
    def flags(self) -> tuple[str, ...]:
        """What makes the compiler build for it."""
        return (f"-mcpu={self.name}", "-mthumb", "-mfloat-abi=soft")


MPS2 = COMPUTER / "mps2.ld"
CORES = {
    core.name: core
    for core in (
        Core("cortex-m0", ("microbit", "-global", f"nrf51-soc.{RAM}"), HERE / "microbit.ld"),
        Core("cortex-m3", ("mps2-an385",), MPS2),
        Core("cortex-m4", ("mps2-an386",), MPS2),
        Core("cortex-m7", ("mps2-an500",), MPS2),
        Core("cortex-m33", ("mps2-an505",), HERE / "an505.ld"),
    )
}


def run(command: Sequence[str | Path], folder: Path | None = None) -> str:
    """Run a program that must succeed without a word on standard error; returns its output."""
    done = subprocess.run(
        [str(word) for word in command],
        cwd=folder, capture_output=True, text=True, timeout=TIMEOUT,
    )  # fmt: skip
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    assert done.stderr == "", done.stderr[-4000:]
    return done.stdout


def configure(source: Path, build: Path, *options: str, level: str = "-O0") -> None:
    """Run CMake for a build with all warnings as errors."""
    flags = " ".join([level, *WARNINGS])
    run(
        ["cmake", "-S", source, "-B", build, "-G", "Ninja", "-D", "CMAKE_BUILD_TYPE=Release",
         "-D", f"CMAKE_C_FLAGS_RELEASE={flags}", *options]
    )  # fmt: skip


def place(folder: Path, compiler: str, *words: str) -> Path:
    """Where the result for a library's files is kept, for a compiler's version and its options."""
    key = hashlib.sha256("\0".join([version(compiler), *words, *WARNINGS]).encode())
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            key.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    kept = cache_folder() / "library"
    kept.mkdir(parents=True, exist_ok=True)
    return kept / key.hexdigest()[:24]


def build_archive(life: Life, flags: Sequence[str], *options: str) -> Path:
    """The library as CMake builds it by itself, once for the same files, flags and options."""
    archive = place(life.folder, "arm-none-eabi-gcc", *flags, *options)
    if not archive.is_file():
        with tempfile.TemporaryDirectory(dir=archive.parent) as temporary:
            build = Path(temporary) / "build"
            words = " ".join(flags)
            configure(
                life.folder, build, "-D", f"CMAKE_C_FLAGS={words}",
                "-D", f"CMAKE_ASM_FLAGS={words}", *options, level="-O2",
            )  # fmt: skip
            run(["cmake", "--build", build, "--parallel", str(os.cpu_count() or 1)])
            (build / f"lib{life.names.package}.a").replace(archive)
    return archive


def build_here(folder: Path, main: Path, *flags: str) -> Path:
    """A library's files and a program for this machine, under sanitizers; each file is compiled
    once for all libraries that have it."""
    sources = [main, *sorted((folder / "src").rglob("*.c"))]
    command = ["gcc", "-std=c11", "-O1", "-ffp-contract=fast", *SANITIZERS, *flags]
    headers = sorted((folder / "src").rglob("*.h"))
    return build_once(
        main.stem, [*command, f"-I{folder / 'src'}"], sources, headers, cache_folder()
    )


def link_for(core: Core, life: Life, folder: Path) -> Path:
    """A device's life for a bare core, with the library that CMake built for it."""
    archive = build_archive(life, core.flags, "-D", f"CMAKE_TOOLCHAIN_FILE={TOOLCHAIN}")
    program = life.write_program(folder)
    elf = folder / "life.elf"
    run(
        ["arm-none-eabi-gcc", *core.flags, "-std=c11", "-O2", *WARNINGS, "-ffunction-sections",
         "-nostartfiles", "--specs=nano.specs", "-Wl,--gc-sections", "-T", core.script,
         f"-I{life.folder / 'src'}", f"-I{COMPUTER}", f"-I{HERE}",
         HERE / "life_main.c", COMPUTER / "computer_qemu.c", program, archive, "-o", elf]
    )  # fmt: skip
    return elf


def emulate(core: Core, elf: Path) -> list[str]:
    """What a program prints by semihosting."""
    machine, *options = core.machine
    printed = run(
        ["qemu-system-arm", "-machine", machine, *options, "-display", "none", "-monitor", "none",
         "-serial", "null", "-chardev", "stdio,id=lines",
         "-semihosting-config", "enable=on,target=native,chardev=lines", "-kernel", elf]
    )  # fmt: skip
    return printed.splitlines()


def have(*programs: str) -> bool:
    """Whether all of them are installed."""
    return all(shutil.which(program) for program in programs)
