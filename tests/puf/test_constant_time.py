"""No branch and no address of what handles keys depends on a secret (x86 builds, Valgrind).

``make test`` has what is shipped, ``make trust`` all levels of optimisation.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from trust_rows import Trust, trust_row

from rbnn import monocypher
from rbnn.engine.compile import FIRMWARE, MONOCYPHER, compile_native, room_sources

COMPILERS = ("gcc", "clang")
SHIPPED = ("-O2", "-Os")
OTHERS = ("-O0", "-O1", "-O3")
IN_SHORT = (("gcc", "-O2"), ("gcc", "-Os"), ("clang", "-O2"))
"""In ``make test``: the firmware is compiled by gcc."""
PARTS = (
    "setup",
    "bch",
    "tag",
    "decrypt",
    "stream",
    "typed-key",
    "device-keys",
    "sign",
    "kdf",
    "noise",
)


@trust_row(
    "constant-time",
    "Branches and addresses that depend on a secret, by Valgrind, in enrolment, key derivation, "
    "licences, ciphers, signing and typed keys; one program for each compiler and optimisation",
    "0 but for the status that a caller gets",
)
@pytest.mark.parametrize(
    ("compiler", "optimisation"),
    [
        pytest.param(compiler, one, marks=() if (compiler, one) in IN_SHORT else pytest.mark.full)
        for compiler in COMPILERS
        for one in (*SHIPPED, *OTHERS)
    ],
)
def test_time_does_not_depend_on_secrets(
    compiler: str, optimisation: str, monkeypatch: pytest.MonkeyPatch, trust: Trust
) -> None:
    if shutil.which("valgrind") is None or not Path("/usr/include/valgrind/memcheck.h").is_file():
        pytest.skip("valgrind is not installed: apt-get install valgrind")
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed: apt-get install {compiler}")
    monkeypatch.setenv("CC", compiler)
    monocypher.lay_out(monocypher.folder())
    sources = [
        Path(__file__).with_name("constant_time.c"),
        *room_sources("crypto", "puf"),
        FIRMWARE / "licence" / "noise.c",
        FIRMWARE / "link" / "words.c",
        MONOCYPHER / "monocypher.c",
    ]
    # Valgrind's macros convert freely, and it does not read every DWARF 5.
    flags = [optimisation, "-gdwarf-4", "-Wno-conversion"]
    program = compile_native("constant_time", sources, flags)
    done = subprocess.run(
        ["valgrind", "--quiet", str(program)], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    found = dict(line.split() for line in done.stdout.splitlines())
    expected = {part: "0" for part in PARTS} | {"reproduce": "1"}
    differing = sum(int(found[part]) - int(count) for part, count in expected.items())
    trust.measured(f"{compiler} {optimisation}: {differing}", 1)
    assert {part: found[part] for part in expected} == expected, done.stderr
    # One for each reason to refuse, and one or two where the caller reads the status.
    assert 1 <= int(found["enroll"]) <= 7, done.stderr
    assert int(found["control"]) > 0
