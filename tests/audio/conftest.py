"""The firmware's front end and listener as a program under sanitizers."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from sounds import Run

from rbnn.engine.compile import FIRMWARE, SANITIZERS, compile_native, room_sources


@pytest.fixture(scope="session")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Call it with the driver's words and the bytes that it reads."""
    sources = [
        *room_sources("audio"),
        FIRMWARE / "crypto" / "wipe.c",
        Path(__file__).parent / "audio_driver.c",
    ]
    flags = ["-O1", "-Wall", "-Wextra", "-Wconversion", "-Werror", *SANITIZERS]
    program = compile_native("audio_driver", sources, flags, tmp_path_factory.mktemp("audio"))

    def run(*words: object, data: bytes) -> bytes:
        done = subprocess.run(
            [str(program), *map(str, words)], input=data, capture_output=True, timeout=600
        )
        assert done.returncode == 0, done.stderr.decode(errors="replace")
        return done.stdout

    return run
