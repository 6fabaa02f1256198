"""Estimate how many cycles an instruction of each kernel takes on a Cortex-M4.

Nothing is measured: the kernels are compiled, and each instruction of their code counts with the
cycles in Arm's timing table, in a loop ``LOOP_TURNS`` times as often as outside it. Flash wait
states are ignored. The same table applied to a trace of executed instructions gave figures that
differ from these by at most a fifth.

Source: Arm Cortex-M4 Technical Reference Manual, table 3-1 and section 3.3.3.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from rbnn import monocypher
from rbnn.engine.compile import FIRMWARE, INCLUDES
from rbnn.image.errors import BuildError
from rbnn.image.toolchain import require
from rbnn.spec.operators import OPERATORS

PLAIN_CYCLES = 1
ACCESS_CYCLES = 2
"""A load or store of one register; right after another one it overlaps and takes
``PLAIN_CYCLES``."""
BRANCH_CYCLES = 3
"""Taken: 1, plus 1 to 3 to fill the pipeline; 2 are assumed. Every branch counts as taken."""
MULTIPLY_ADD_CYCLES = 2
"""``MLA`` and ``MLS``."""
DIVIDE_CYCLES = 7
"""2 to 12; the middle is assumed."""
LOOP_TURNS = 10
"""Turns assumed of every loop; the rounds of ChaCha take 10."""

KERNELS = {op.name: (f"core/{op.kernel.removeprefix('rbnn_')}/*",) for op in OPERATORS.values()}
"""Files of each operator: its kernel's folder, without the stages that several share."""
STREAM = ("crypto/chacha*",)
_INSTRUCTION = re.compile(r"^\s+([0-9a-f]+):\t(?:[0-9a-f]{4} ?)+\s*\t(\S+)(?:\t(.*))?$", re.M)
_SINGLE = re.compile(r"(ldr|str)(?!ex)(?!d)")
_DOUBLE = re.compile(r"(ldrd|strd)")
_MULTIPLE = re.compile(r"(ldm|stm|push|pop)")
_BRANCH = re.compile(r"(b|bl|bx|blx|cbz|cbnz|tbb|tbh|b(eq|ne|cs|cc|mi|pl|vs|vc|hi|ls|ge|lt|gt|le))")


def mean_cycles(disassembly: str) -> float:
    """Mean cycles per instruction over a listing of ``objdump -d``.

    Raises:
        ValueError: it lists no instruction.
    """
    cycles = count = 0
    for listing in disassembly.split("file format")[1:]:
        found = [
            (int(address, 16), name.removesuffix(".n").removesuffix(".w"), operands)
            for address, name, operands in _INSTRUCTION.findall(listing)
            if not name.startswith(".")  # a constant between functions
        ]
        loops = list(_loops(found))
        after_access = False
        for address, name, operands in found:
            turns = LOOP_TURNS ** sum(first <= address <= last for first, last in loops)
            count += turns
            cycles += turns * _cycles(name, operands, after_access)
            after_access = bool(_SINGLE.match(name))
    if not count:
        raise ValueError("A listing with instructions. Received: none")
    return cycles / count


def _cycles(name: str, operands: str, after_access: bool) -> int:
    """Cycles of one instruction; ``after_access``: the one before it loads or stores."""
    if _DOUBLE.match(name):
        return PLAIN_CYCLES + 2
    if _MULTIPLE.match(name):
        returns = BRANCH_CYCLES - PLAIN_CYCLES if "pc" in operands else 0
        return PLAIN_CYCLES + _registers(operands) + returns
    if _SINGLE.match(name):
        return PLAIN_CYCLES if after_access else ACCESS_CYCLES
    if _BRANCH.fullmatch(name):
        return BRANCH_CYCLES
    if name in ("udiv", "sdiv"):
        return DIVIDE_CYCLES
    if name in ("mla", "mls"):
        return MULTIPLY_ADD_CYCLES
    return PLAIN_CYCLES


def _loops(found: Sequence[tuple[int, str, str]]) -> Iterator[tuple[int, int]]:
    """First and last address of every loop: the range that a backward branch spans."""
    ends: dict[int, int] = {}
    for address, name, operands in found:
        target = re.search(r"([0-9a-f]+) <", operands)
        if _BRANCH.fullmatch(name) and name not in ("bl", "blx") and target:
            first = int(target[1], 16)
            if first <= address:
                ends[first] = max(address, ends.get(first, 0))
    yield from ends.items()


def _registers(operands: str) -> int:
    """Registers in ``{r4, r6-r8, lr}``."""
    total = 0
    inside = re.search(r"\{(.*)\}", operands)
    for part in (inside[1] if inside else "").split(","):
        first, _, last = part.strip().partition("-")
        total += int(last[1:]) - int(first[1:]) + 1 if last else 1
    return total


def disassemble(patterns: Sequence[str], cpu: str = "cortex-m4") -> str:
    """Disassembly of the firmware's matching files, compiled as the firmware is.

    Raises:
        ToolError: the compiler is not installed.
        BuildError: a file does not compile.
    """
    compiler = str(require("arm-none-eabi-gcc"))
    objdump = str(require("arm-none-eabi-objcopy")).removesuffix("objcopy") + "objdump"
    files = sorted(
        file
        for pattern in patterns
        for file in FIRMWARE.glob(pattern)
        if file.suffix in (".c", ".S")
    )
    with tempfile.TemporaryDirectory(prefix="rbnn-cycles-") as temporary:
        objects = [str(Path(temporary) / f"{number}.o") for number in range(len(files))]
        commands = [
            [
                *(compiler, "-std=c11", "-O2", f"-mcpu={cpu}", "-mthumb", "-mfloat-abi=soft"),
                *(f"-I{folder}" for folder in (*INCLUDES, monocypher.provide())),
                *("-c", str(file), "-o", one),
            ]
            for file, one in zip(files, objects, strict=True)
        ]
        for command in [*commands, [objdump, "-d", *objects]]:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                raise BuildError(f"{command[0]} failed: {done.stderr.strip()[:500]}")
    return done.stdout


def estimate_cycles() -> tuple[dict[str, float], float]:
    """Cycles per instruction of each operator, and of the key stream."""
    kernels = {name: mean_cycles(disassemble(files)) for name, files in KERNELS.items()}
    return kernels, mean_cycles(disassemble(STREAM))
