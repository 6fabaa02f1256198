"""Build the fuzz targets, lay out what they attack, run one and keep what crashes it."""

from __future__ import annotations

import functools
import hashlib
import os
import re
import shlex
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from rbnn import monocypher
from rbnn.compiler import build_once
from rbnn.engine.compile import FIRMWARE, INCLUDES, MONOCYPHER, SANITIZERS, compiler, room_sources
from rbnn.places import cache_folder

HERE = Path(__file__).parent
KEPT = FIRMWARE.parent / ".cache" / "fuzz"
"""Inputs that crashed a target stay here, with all that is needed to replay them."""
EXECUTED = re.compile(r"stat::number_of_executed_units:\s*(\d+)")


@dataclass(frozen=True)
class Build:
    """The fuzz targets.

    Args:
        program: all of them.
        engine: what changes the inputs.
    """

    program: Path
    engine: str


@functools.cache
def clang_with_fuzzer() -> str | None:
    """Clang, if there is one that has libFuzzer."""
    found = shutil.which("clang")
    if found is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "empty.c"
        source.write_text(
            "int LLVMFuzzerTestOneInput(const unsigned char *d, unsigned long n)\n"
            "{ return d == 0 && n != 0; }\n"
        )
        flags = ["-fsanitize=fuzzer,address,undefined", str(source), "-o", f"{folder}/program"]
        return (
            found if subprocess.run([found, *flags], capture_output=True).returncode == 0 else None
        )


def build(with_clang: bool = True) -> Build:
    """Compile firmware and targets under AddressSanitizer and UBSan, once for the same text.

    Args:
        with_clang: use libFuzzer, if there is one; otherwise mutator.c, which needs no coverage.
    """
    monocypher.lay_out(monocypher.folder())
    clang = clang_with_fuzzer() if with_clang else None
    sources = [
        *room_sources("crypto", "store", "core", "puf", "reconf", "licence", "device", "audio"),
        *room_sources("link"),
        *sorted(HERE.glob("fuzz*.c")),
        MONOCYPHER / "monocypher.c",
    ]
    flags = ["-O1", "-DRBNN_AUDIO=1", *SANITIZERS]
    if clang is None:
        sources.append(HERE / "mutator.c")
    else:
        flags.append("-fsanitize=fuzzer")
    command = [
        *(clang or compiler(), "-std=c11", "-fno-strict-aliasing", *flags),
        *(f"-I{folder}" for folder in (*INCLUDES, HERE)),
        f"-isystem{MONOCYPHER}",
        "-Wl,--wrap=rbnn_vault_unlock,--wrap=rbnn_engine_infer",
    ]
    headers = sorted([*FIRMWARE.rglob("*.h"), *HERE.glob("*.h")])
    program = build_once("fuzz", command, sources, headers, cache_folder())
    return Build(program, "libFuzzer" if clang else "mutator.c, which knows no coverage")


def crash_of(build: Build, target: str, world: Path, found: Path) -> str:
    """Keep a crash; the command that replays it."""
    name = hashlib.sha256(found.read_bytes()).hexdigest()[:12]
    kept = KEPT / f"{target}-{name}"
    shutil.copytree(world, kept, dirs_exist_ok=True)
    shutil.copy(found, kept / "input")
    shutil.copy(build.program, kept / "fuzz")
    place = shlex.quote(str(kept))
    return f"RBNN_FUZZ_TARGET={target} RBNN_FUZZ_WORLD={place} {place}/fuzz {place}/input"


def run(
    build: Build, target: str, world: Path, seeds: Path, *, seconds: int = 0, runs: int = 0
) -> tuple[int, list[str]]:
    """Run a target on changed seeds.

    Args:
        build: the targets.
        target: name of one.
        world: folder with what it attacks.
        seeds: folder of valid inputs.
        seconds: how long; 0 for no limit.
        runs: how many executions; 0 for no limit.

    Returns:
        Executions, and the commands that replay the crashes. libFuzzer stops at the first.
    """
    with tempfile.TemporaryDirectory() as folder:
        corpus, crashes = Path(folder) / "corpus", Path(folder) / "crashes"
        corpus.mkdir()
        crashes.mkdir()
        longest = max(path.stat().st_size for path in seeds.iterdir())
        options = [f"-artifact_prefix={crashes}/", f"-max_len={longest + 512}"]
        options += [f"-max_total_time={seconds}"] if seconds else []
        options += [f"-runs={runs}"] if runs else []
        if build.engine == "libFuzzer":
            options += ["-print_final_stats=1", "-verbosity=0", str(corpus)]
        done = subprocess.run(
            [str(build.program), *options, str(seeds)],
            env=os.environ | {"RBNN_FUZZ_TARGET": target, "RBNN_FUZZ_WORLD": str(world)},
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        )
        # libFuzzer also keeps an input that took long, as any does while the machine is asleep.
        found = [one for one in sorted(crashes.iterdir()) if not one.name.startswith("slow-unit")]
        replays = [crash_of(build, target, world, path) for path in found]
        executed = EXECUTED.search(done.stderr)
        if done.returncode != 0 and not replays:
            raise AssertionError(f"{target} ended with {done.returncode}: {done.stderr[-3000:]}")
        return int(executed[1]) if executed else 0, replays
