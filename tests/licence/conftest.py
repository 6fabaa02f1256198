"""The vault as a process, and the world it lives in."""

from __future__ import annotations

from pathlib import Path

import pytest
from licensed_world import World

from rbnn import monocypher
from rbnn.engine.compile import MONOCYPHER, SANITIZERS, compile_native, room_sources


@pytest.fixture(scope="session")
def driver() -> Path:
    """vault_driver.c under AddressSanitizer and UndefinedBehaviorSanitizer."""
    monocypher.lay_out(monocypher.folder())
    sources = [
        Path(__file__).parent / "vault_driver.c",
        *room_sources("crypto", "store", "core", "puf", "reconf", "licence"),
        MONOCYPHER / "monocypher.c",
    ]
    return compile_native("vault", sources, ["-O1", *SANITIZERS])


@pytest.fixture(scope="session")
def world(driver: Path, tmp_path_factory: pytest.TempPathFactory) -> World:
    """One world for all tests; nothing in it changes."""
    return World(driver, tmp_path_factory.mktemp("vault"))
