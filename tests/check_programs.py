"""Checks written in C, run on this machine under sanitizers and on emulated Cortex-Ms."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from rbnn.compiler import _compile, build_once
from rbnn.engine.compile import (
    FIRMWARE,
    INCLUDES,
    MONOCYPHER,
    SANITIZERS,
    compile_native,
    compiler,
    room_sources,
)
from rbnn.places import cache_folder, make_cache

COMPUTER = Path(__file__).parent / "computer"
MACHINES = {"cortex-m3": "mps2-an385", "cortex-m4": "mps2-an386", "cortex-m7": "mps2-an500"}


@dataclass(frozen=True)
class Outcome:
    """What a check printed: instructions by what was run and on how many bytes."""

    counts: dict[tuple[str, int], int]

    def per_byte(self, what: str, size: int) -> float:
        """Instructions per byte."""
        return self.counts[what, size] / size


def sources(check: Path) -> list[Path]:
    """The check and the C that it may check."""
    rooms = room_sources("crypto", "store", "core", "puf", "reconf", "licence")
    return [check, *rooms, MONOCYPHER / "monocypher.c"]


def _read(done: subprocess.CompletedProcess[str]) -> Outcome:
    lines = (done.stdout + done.stderr).splitlines()  # QEMU's semihosting prints on the latter
    assert done.returncode == 0 and lines and lines[-1] == "done", lines
    found = [re.fullmatch(r"([a-z0-9-]+) (\d+) (\d+)", line) for line in lines[:-1]]
    return Outcome({(line[1], int(line[2])): int(line[3]) for line in found if line})


def sanitized_objects(sources: Sequence[Path]) -> list[Path]:
    """Objects for this machine with AddressSanitizer and UBSan, compiled once for the same text."""
    command = [compiler(), "-std=c11", "-fno-strict-aliasing", "-O1", *SANITIZERS]
    command += [*(f"-I{room}" for room in INCLUDES), f"-isystem{MONOCYPHER}", "-c"]
    native = make_cache(cache_folder() / "native")
    return [_compile(source, command, native) for source in sources]


def run_host(check: Path) -> Outcome:
    """Run a check under AddressSanitizer and UBSan; nothing is counted."""
    program = compile_native(
        check.stem, [*sources(check), COMPUTER / "computer_host.c"],
        ["-O1", f"-I{COMPUTER}", *SANITIZERS],
    )  # fmt: skip
    return _read(subprocess.run([str(program)], capture_output=True, text=True, timeout=300))


def build_bare(
    name: str, cpu: str, sources: Sequence[Path], flags: Sequence[str], script: Path
) -> Path:
    """Compile and link for a bare ``cpu``, once for the same text."""
    command = ["arm-none-eabi-gcc", "-std=c11", "-O2", f"-mcpu={cpu}", "-mthumb"]
    command += ["-mfloat-abi=soft", "-Wall", "-Wextra", "-ffunction-sections", "-Wl,--gc-sections"]
    command += [*flags, f"-T{script}", *(f"-I{room}" for room in (*INCLUDES, MONOCYPHER, COMPUTER))]
    headers = sorted(header for room in (*INCLUDES, COMPUTER) for header in room.rglob("*.h"))
    return build_once(name, command, sources, [*headers, script], cache_folder())


def run_bare(check: Path, cpu: str) -> Outcome:
    """Run a check on a bare emulated ``cpu``, each instruction counted."""
    for tool in ("arm-none-eabi-gcc", "qemu-system-arm"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    assembly = sorted([*FIRMWARE.glob("crypto/*.S"), *FIRMWARE.glob("core/**/*.S")])
    program = build_bare(
        f"{check.stem}-{cpu}.elf",
        cpu,
        [*sources(check), *assembly, COMPUTER / "computer_qemu.c"],
        ["-fdata-sections", "-nostartfiles", "--specs=nano.specs", "--specs=nosys.specs"],
        COMPUTER / "mps2.ld",
    )
    return _read(
        subprocess.run(
            [
                *("qemu-system-arm", "-M", MACHINES[cpu], "-nographic", "-monitor", "none"),
                *("-serial", "none", "-semihosting", "-icount", "shift=10"),
                *("-kernel", str(program)),
            ],
            capture_output=True,
            text=True,
            timeout=300,
            stdin=subprocess.DEVNULL,
        )
    )
