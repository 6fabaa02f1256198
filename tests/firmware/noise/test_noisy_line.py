"""Commands over a line that damages bytes: each gets its right answer, or an error with a name."""

from __future__ import annotations

import os
import shutil
import tty
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from caller import Caller, World
from emulated_device import PROVIDER, USER, enroll_and_license
from host_firmware import HostFirmware
from licensed_model import LicensedModel
from noisy_line import NoisyLine
from trust_rows import Trust, trust_row

from rbnn.device.emulated.emulator import Emulator
from rbnn.device.session import Session
from rbnn.flash.emulated import EmulatedBoard
from rbnn.image import platformio
from rbnn.image.board import load_board

noisy_row = trust_row(
    "noisy-line",
    "Commands of a caller that knows the answers (queries, unlocks, refusals, switches, inferences "
    "of 3,072 bytes) on a line with noise in both directions: bits flipped, bytes lost and "
    "inserted, bursts; pieces of any size, pauses. By the host's own client, to the firmware in C "
    "under sanitizers and to the emulated Cortex-M4",
    "0 lost, 0 wrong answers taken for right ones",
)


PATIENCE = 0.1
"""So that a silent line costs 2 s at most, not 20: no answer of this device takes as long."""
SEEDS = [1, *(pytest.param(seed, marks=pytest.mark.full) for seed in (2, 3, 4))]


def make_calls(
    line: NoisyLine, world: World, seed: int, count: int, where: str, trust: Trust
) -> None:
    """Make calls, as the row tells."""
    with Session(line.path) as session:
        session.line.patience = PATIENCE
        caller = Caller(session, world, seed)
        caller.run(line, count)
    tally = caller.tally
    trust.measured(f"{where}: {tally.figure(line)}", tally.commands)
    assert not tally.lost and not tally.wrong, tally
    assert tally.commands >= count
    assert line.events > count // 20


@noisy_row
@pytest.mark.timeout(0)
@pytest.mark.parametrize("seed", SEEDS)
def test_the_firmware_in_c(
    licensed: LicensedModel, tmp_path: Path, trust: Trust, seed: int
) -> None:
    world = World.of(licensed.licences, licensed.user, licensed.images)
    store = shutil.copy(licensed.store, tmp_path / "store.bin")
    pattern = licensed.noisy_pattern()
    with HostFirmware(licensed.program, pattern, tmp_path, licensed.partition, store) as firmware:
        streams = firmware.process.stdout, firmware.process.stdin
        assert streams[0] is not None and streams[1] is not None
        with NoisyLine((streams[0].fileno(), streams[1].fileno()), seed=10 * seed) as line:
            count = trust.amount(quick=300, full=5_000)
            make_calls(line, world, seed, count, f"host C {seed}", trust)


@pytest.fixture
def emulator(random_export: Callable[..., Any], tmp_path: Path) -> Iterator[tuple[Any, Emulator]]:
    """A licensed device, and what it was made from."""
    made = random_export(provider_public=PROVIDER.public)
    build = platformio.build(load_board("qemu"), made.export.folder)
    board = EmulatedBoard.create(tmp_path / "device", build.board.name, seed=5)
    board.write_flash(build.bin.read_bytes(), build.board.flash.bytes)
    emulator = Emulator(tmp_path / "device", build.board)
    emulator.power_on()
    yield made, emulator
    emulator.power_off()


@noisy_row
@pytest.mark.qemu
@pytest.mark.timeout(0)
@pytest.mark.skipif(
    not (shutil.which("qemu-system-arm") and shutil.which("arm-none-eabi-gcc")),
    reason="apt-get install qemu-system-arm gcc-arm-none-eabi libnewlib-arm-none-eabi",
)
@pytest.mark.parametrize("seed", SEEDS)
def test_the_emulated_board(emulator: tuple[Any, Emulator], trust: Trust, seed: int) -> None:
    made, board = emulator
    licensed = enroll_and_license(board, made)
    world = World.of(licensed.licences, USER, made.images)
    port = os.open(board.serial_path(), os.O_RDWR | os.O_NOCTTY)
    try:
        tty.setraw(port)
        with NoisyLine((port, port), seed=100 * seed) as line:
            count = trust.amount(quick=150, full=2_500)
            make_calls(line, world, seed, count, f"emulated board {seed}", trust)
    finally:
        os.close(port)
