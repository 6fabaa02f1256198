"""The model's partition is erased and programmed as each chip's manual says, over a fake one."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from rbnn.engine.compile import FIRMWARE, SANITIZERS, compile_native
from rbnn.image.board import load_board

TESTS = Path(__file__).parents[2]
FAKES = TESTS / "port" / "registers"
BOARDS = {
    "stm32f4": ("nucleo", 1),
    "stm32l4": ("nucleo-l4r5zi", 1 << 22),
    "nrf52": ("nrf52840-dk", None),
}
ERASES = {"stm32f4": [5, 7], "stm32l4": [0, 249], "nrf52": [0x20, 0xF9]}
"""Numbers of the first and the last sector of the partition, as the manual counts them."""


def drive(family: str, argument: int | None) -> list[str]:
    sources = [TESTS / "port" / f"{family}_flash_driver.c", FIRMWARE / "port" / family / "flash.c"]
    flags = [*SANITIZERS, f"-I{FAKES}", "-DRBNN_PARTITION=1"]
    program = compile_native(f"{family}_model_flash", sources, flags)
    arguments = [] if argument is None else [f"{argument:x}"]
    done = subprocess.run([program, *arguments], capture_output=True, text=True)
    assert done.returncode == 0 and done.stderr == "", done.stdout + done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("family", BOARDS)
def test_sectors_are_those_of_the_manifest(family: str) -> None:
    name, argument = BOARDS[family]
    model = load_board(name).model
    assert model is not None
    said = drive(family, argument)
    assert said[0] == f"model {model.bytes} {model.sector_bytes}"
    erased = [int(line.split()[1]) for line in said if line.startswith("erase ")]
    first = {"stm32f4": 0, "stm32l4": 250, "nrf52": 0xFA}[family]
    # The fakes count from the store's first page, modulo 2^20 here.
    assert [(number + first) % 2**20 for number in erased] == ERASES[family]


def test_an_emulator_without_a_flash_controller_writes_no_model() -> None:
    assert drive("stm32f4", 0) == ["model 393216 131072"]
