"""No branch and no address of sketch, KDF and Noise depends on a secret (x86 build, Valgrind)."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from rbnn.engine.compile import FIRMWARE, MONOCYPHER, compile_native, room_sources
from rbnn.image import monocypher


@pytest.mark.parametrize("optimisation", ["-O1", "-O2", "-Os"])
def test_time_does_not_depend_on_secrets(optimisation: str) -> None:
    if shutil.which("valgrind") is None or not Path("/usr/include/valgrind/memcheck.h").is_file():
        pytest.skip("valgrind is not installed: apt-get install valgrind")
    monocypher.lay_out(monocypher.folder())
    sources = [
        Path(__file__).with_name("constant_time.c"),
        *room_sources("crypto", "puf"),
        FIRMWARE / "licence" / "noise.c",
        MONOCYPHER / "monocypher.c",
    ]
    # Valgrind's macros convert freely.
    flags = [optimisation, "-g", "-Wno-conversion"]
    program = compile_native("constant_time", sources, flags)
    done = subprocess.run(
        ["valgrind", "--quiet", str(program)], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    found = dict(line.split() for line in done.stdout.splitlines())
    expected = {"setup": "0", "bch": "0", "kdf": "0", "noise": "0", "reproduce": "1"}
    assert {part: found[part] for part in expected} == expected, done.stderr
    # One for each reason to refuse, and one or two where the caller reads the status.
    assert 1 <= int(found["enroll"]) <= 7, done.stderr
    assert int(found["control"]) > 0
