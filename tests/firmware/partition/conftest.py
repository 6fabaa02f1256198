"""Devices with a model partition that holds a model, and models for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import host_firmware
import pytest
from partition_board import OTHER, PROVIDER, Board, Made

from rbnn.keys.models.signed import sign, verifying_key


@pytest.fixture(scope="module")
def made(random_export: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Made:
    old, new = (random_export(provider_public=PROVIDER.public, seed=seed) for seed in (1, 2))
    wide = random_export(provider_public=PROVIDER.public, seed=3, width=64)
    foreign = random_export(provider_public=OTHER.public, seed=4)
    folder = tmp_path_factory.mktemp("key")
    text = ", ".join(map(str, verifying_key(PROVIDER)))
    (folder / "model_key.h").write_text(f"#define RBNN_MODEL_KEY {{{text}}}\n")
    program = host_firmware.build(old.export.folder, partition=folder)
    return Made(program, old, new, wide, foreign)


@pytest.fixture
def roomy(made: Made, tmp_path: Path) -> Board:
    """It has the old model, version 10, and room for another one."""
    sectors = made.sectors(made.old, made.new)
    return Board(made, tmp_path, sectors, sign(made.old.export.container, PROVIDER, 10))


@pytest.fixture
def tight(made: Made, tmp_path: Path) -> Board:
    """It has the old model, version 10, and no room for another one."""
    sectors = made.sectors(made.old)
    return Board(made, tmp_path, sectors, sign(made.old.export.container, PROVIDER, 10))
