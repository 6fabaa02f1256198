"""Checks written in C, run on this machine under sanitizers and on emulated Cortex-Ms."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from rbnn.engine.compile import FIRMWARE, INCLUDES, MONOCYPHER, SANITIZERS, compile_native

HERE = Path(__file__).parent
MACHINES = {"cortex-m3": "mps2-an385", "cortex-m4": "mps2-an386", "cortex-m7": "mps2-an500"}
LICENCE = ("aead.c", "kdf.c", "licence.c", "noise.c", "provisioning.c", "vault.c")


@dataclass(frozen=True)
class Outcome:
    """What a check printed: instructions by what was run and on how many bytes."""

    counts: dict[tuple[str, int], int]

    def per_byte(self, what: str, size: int) -> float:
        """Instructions a byte."""
        return self.counts[what, size] / size


def sources(name: str) -> list[Path]:
    """The check and the C that it checks."""
    reconf = FIRMWARE / "reconf"
    return [
        HERE / f"{name}.c",
        *sorted(reconf.glob("*.c")),
        *(FIRMWARE / "licence" / part for part in LICENCE),
        *sorted((FIRMWARE / "puf").glob("*.c")),
        FIRMWARE / "core" / "crc32.c",
        MONOCYPHER / "monocypher.c",
    ]


def _read(done: subprocess.CompletedProcess[str]) -> Outcome:
    lines = (done.stdout + done.stderr).splitlines()  # QEMU's semihosting prints on the latter
    assert done.returncode == 0 and lines and lines[-1] == "done", lines
    found = [re.fullmatch(r"([a-z0-9-]+) (\d+) (\d+)", line) for line in lines[:-1]]
    return Outcome({(line[1], int(line[2])): int(line[3]) for line in found if line})


def run_host(name: str) -> Outcome:
    """Run a check under AddressSanitizer and UBSan; nothing is counted."""
    program = compile_native(
        name, [*sources(name), HERE / "computer_host.c"],
        ["-O1", "-Wno-conversion", f"-I{HERE}", *SANITIZERS],
    )  # fmt: skip
    return _read(subprocess.run([str(program)], capture_output=True, text=True, timeout=300))


def run_bare(name: str, cpu: str, folder: Path) -> Outcome:
    """Run a check on a bare emulated ``cpu``, each instruction counted."""
    for tool in ("arm-none-eabi-gcc", "qemu-system-arm"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    program = folder / f"{name}-{cpu}.elf"
    assembly = sorted((FIRMWARE / "reconf").glob("*.S"))
    built = subprocess.run(
        [
            *("arm-none-eabi-gcc", "-std=c11", "-O2", f"-mcpu={cpu}", "-mthumb"),
            *("-mfloat-abi=soft", "-Wall", "-Wextra", "-ffunction-sections", "-fdata-sections"),
            *("-Wl,--gc-sections", "-nostartfiles", "--specs=nano.specs", "--specs=nosys.specs"),
            *(f"-I{room}" for room in (*INCLUDES, MONOCYPHER, HERE)),
            *(f"-T{HERE / 'mps2.ld'}", "-o", str(program)),
            *map(str, [*sources(name), *assembly, HERE / "computer_qemu.c"]),
        ],
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stderr
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
