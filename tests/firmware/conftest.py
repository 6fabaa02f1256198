"""Builds of the whole firmware for this machine, once per session."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import host_firmware
import numpy as np
import pytest
from host_firmware import HostFirmware
from licensed_model import LicensedModel, make_licensed_model

from rbnn.spec.puf import PATTERN_BYTES

PATTERN = np.random.default_rng(11).bytes(PATTERN_BYTES)


@pytest.fixture(scope="session")
def bare_program() -> Path:
    """A firmware that carries no model."""
    return host_firmware.build()


@pytest.fixture
def bare(bare_program: Path, tmp_path: Path) -> Iterator[HostFirmware]:
    """A running firmware without a model, freshly powered, not enrolled."""
    with HostFirmware(bare_program, PATTERN, tmp_path) as firmware:
        yield firmware


@pytest.fixture(scope="session")
def licensed(
    random_export: Callable[..., object], tmp_path_factory: pytest.TempPathFactory
) -> LicensedModel:
    """A firmware with a model, and a device that holds a licence for each of its tasks."""
    return make_licensed_model(random_export, tmp_path_factory.mktemp("licensed"), PATTERN)


@pytest.fixture
def device(licensed: LicensedModel, tmp_path: Path) -> Iterator[HostFirmware]:
    """That device, freshly powered with 10 % bit errors."""
    pattern = licensed.noisy_pattern()
    store = shutil.copy(licensed.store, tmp_path / "store.bin")
    with HostFirmware(licensed.program, pattern, tmp_path, licensed.partition, store) as firmware:
        yield firmware
