"""Compile an engine in every way, run it on an emulated Cortex-M4, keep the best counts."""

from __future__ import annotations

import itertools
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rbnn.bench.board import ICOUNT_SHIFT, PROGRAM
from rbnn.bench.engines.engines import LEVELS, Engine
from rbnn.errors import RbnnError
from rbnn.image.board import load_board
from rbnn.image.defaults import DEFAULT_BOARD
from rbnn.image.toolchain import require
from rbnn.programs import install_command

SOURCE = Path(__file__).parent / "source"
CORE = ("-mcpu=cortex-m4", "-mthumb", "-mfpu=fpv4-sp-d16", "-mfloat-abi=hard")
COMPILERS = {".c": "arm-none-eabi-gcc", ".cc": "arm-none-eabi-g++"}
LOOP, LOOP_INSTRUCTIONS, LOOP_SURPLUS = "loop", 2_000_000, 20
"""The program's own kernel, of known length; calling a kernel takes the surplus, or less."""
TIMEOUT_S = 600.0
_LINE = re.compile(r"^(\w+) (\w+) (\d+) (right|wrong)$", re.MULTILINE)


class EngineError(RbnnError):
    """An engine is not there, does not compile, or computes something else."""


@dataclass(frozen=True)
class Count:
    """Instructions that a kernel took for a standard layer, and how it was compiled."""

    layer: str
    kernel: str
    instructions: int
    flags: str


def commit(engine: Engine, sources: Path) -> str:
    """The commit of its checkout in ``sources``.

    Raises:
        EngineError: there is no checkout, or its files were changed.
    """
    folder = sources / engine.checkout
    clone = f"git clone https://{engine.repository} {folder}"
    if not folder.is_dir():
        raise EngineError(f"{engine.name} is not in {folder}.", f"Run: {clone}")
    git = ["git", "-C", str(folder)]
    head = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    top = subprocess.run(
        [*git, "rev-parse", "--show-prefix"], capture_output=True, text=True, check=False
    )
    if head.returncode or top.stdout.strip():
        raise EngineError(
            f"{folder} is no git checkout, so its commit is unknown.", f"Run: {clone}"
        )
    status = [*git, "status", "--porcelain", "--untracked-files=no"]
    if subprocess.run(status, capture_output=True, check=False).stdout:
        raise EngineError(f"Files in {folder} were changed.", f"Run: git -C {folder} restore .")
    return head.stdout.strip()


def best_counts(engine: Engine, sources: Path, folder: Path) -> dict[str, Count]:
    """Its fewest instructions for every layer that it has a kernel for.

    Args:
        engine: to measure.
        sources: folder of the checkouts.
        folder: to build in.

    Raises:
        EngineError: it does not compile, or a result is wrong.
    """
    best: dict[str, Count] = {}
    for level, choice in itertools.product(LEVELS, engine.choices):
        flags = (level, *choice, *engine.flags)
        for count in _run(_build(engine, sources / engine.checkout, flags, folder), flags):
            if count.layer not in best or count.instructions < best[count.layer].instructions:
                best[count.layer] = count
    return best


def _build(engine: Engine, checkout: Path, flags: Sequence[str], folder: Path) -> Path:
    made = folder / engine.checkout
    for name, text in engine.headers.items():
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        (made / name).write_text(text)
    files = [path for pattern in engine.sources for path in sorted(checkout.glob(pattern))]
    files = [path for path in files if not any(part in path.name for part in engine.leave_out)]
    if len(files) < len(engine.sources):
        raise EngineError(f"{checkout} lacks files of {', '.join(engine.sources)}.")
    program = SOURCE / engine.program
    compiler = _compiler(program.suffix)
    objects = made / "standard.o"
    made.mkdir(parents=True, exist_ok=True)
    _compile([_compiler(".c"), *CORE, "-O2", "-c", SOURCE / "standard.c", "-o", objects], engine)
    elf = made / "engine.elf"
    includes = [SOURCE, made, *(checkout / name for name in engine.includes)]
    _compile(
        [
            *(compiler, *CORE, "-w", "-ffunction-sections", "-fdata-sections", *flags),
            *(f"-I{one}" for one in includes),
            *(program, *_corrected(engine, files, made), objects),
            *("--specs=rdimon.specs", "-Wl,--gc-sections", "-T", SOURCE / "standard.ld"),
            *("-lm", "-o", elf),
        ],
        engine,
    )
    return elf


def _compiler(suffix: str) -> str:
    name = COMPILERS[suffix]
    require(COMPILERS[".c"])
    if found := shutil.which(name):
        return found
    raise EngineError(f"{name} is not installed.", f"Run: {install_command('arm-none-eabi-g++')}")


def _corrected(engine: Engine, files: list[Path], made: Path) -> list[Path]:
    """The files as they are, or copies of them with the engine's corrections."""
    if not engine.corrections:
        return files
    copies = []
    for path in files:
        text = path.read_text()
        for before, after in engine.corrections:
            text = text.replace(before, after)
        copies.append(made / path.name)
        copies[-1].write_text(text)
    return copies


def _compile(command: Sequence[str | Path], engine: Engine) -> None:
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, check=False
    )
    if done.returncode:
        lines = [
            line for line in done.stderr.splitlines() if "error" in line or "undefined" in line
        ]
        reason = (lines or done.stderr.splitlines() or ["no reason given"])[0]
        raise EngineError(
            f"{engine.name} does not compile: {reason}",
            "Check out the commit that rbnn/cost/peer_table.py names. The headers of C++ come with "
            "libstdc++-arm-none-eabi-newlib.",
        )


def _run(elf: Path, flags: Sequence[str]) -> list[Count]:
    emulator = load_board(DEFAULT_BOARD).emulator
    assert emulator is not None
    command = [
        *(str(require(PROGRAM)), "-machine", emulator.machine, "-nodefaults"),
        *("-display", "none", "-monitor", "none", "-serial", "null"),
        *("-icount", f"shift={ICOUNT_SHIFT},sleep=off", "-kernel", str(elf)),
        *("-semihosting-config", "enable=on,target=native"),
    ]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, timeout=TIMEOUT_S, check=False,
    )  # fmt: skip
    engine, how = elf.parent.name, " ".join(flags)
    lines = _LINE.findall(done.stdout)
    if done.returncode or not lines or lines[0][0] != LOOP:
        raise EngineError(f"{engine} with {how} ends without a result: {done.stdout[-200:]}")
    ticks_per_instruction = emulator.tick_hz * (1 << ICOUNT_SHIFT) / 1e9
    counts = [
        Count(layer, kernel, round(int(ticks) / ticks_per_instruction), how)
        for kernel, layer, ticks, _ in lines
    ]
    for count, line in zip(counts, lines, strict=True):
        if line[-1] != "right":
            raise EngineError(
                f"{engine}'s {count.kernel} with {how} computes {count.layer} wrongly."
            )
    loop = counts.pop(0).instructions
    if not 0 <= loop - LOOP_INSTRUCTIONS <= LOOP_SURPLUS:
        raise EngineError(f"A loop of {LOOP_INSTRUCTIONS:,} instructions counts as {loop:,}.")
    return counts
