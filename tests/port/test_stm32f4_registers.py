"""What the STM32F4 port writes into its registers, against the limits of RM0390 and DS10693.

QEMU's stand-in has no clock registers, so its boots prove nothing about them.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from rbnn.engine.compile import FIRMWARE, SANITIZERS, compile_native
from rbnn.spec.link import BAUD, Protection

HERE = Path(__file__).parent
CR_AT_RESET = 0x83
HSE_HZ = 8_000_000
HSI_HZ = 16_000_000
POWER_ON = 1 << 25 | 1 << 26 | 1 << 27
BROWN_OUT, PIN, SOFTWARE, INDEPENDENT_WATCHDOG = (1 << bit for bit in (25, 26, 28, 29))


@dataclass(frozen=True)
class Chip:
    """What a start left behind; registers by address."""

    tick_hz: int
    interrupt: int
    warm: bool
    protection: Protection
    registers: dict[int, int]

    def bits(self, address: int, first: int, count: int = 1) -> int:
        """A field of a register."""
        return self.registers[address] >> first & (1 << count) - 1


def start(
    *,
    control: int = CR_AT_RESET,
    causes: int = POWER_ON,
    debug: int = 0,
    ready: int = 3,
    options: int = 0x0FFFAAED,
) -> Chip:
    """Start the port on a fake chip."""
    port = FIRMWARE / "port" / "stm32f4"
    sources = [HERE / "stm32f4_driver.c", port / "clock.c", port / "stm32f4.c"]
    # The fake armv7m.h comes first.
    flags = [*SANITIZERS, f"-I{HERE / 'registers'}"]
    program = compile_native("stm32f4", sources, flags)
    command = [
        str(program),
        *(f"{value:x}" for value in (control, 0, causes, debug, ready, options)),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    named = [line.split() for line in done.stdout.splitlines()]
    said = {name: int(value) for name, value in named[:3]}
    protection = Protection(named[3][1])
    registers = {int(address, 16): int(value) for address, value in named[4:]}
    return Chip(said["tick_hz"], said["interrupt"], bool(said["warm"]), protection, registers)


def test_the_clock_tree_stays_within_the_chip_s_limits() -> None:
    chip = start()
    pll = 0x40023804
    vco_in = HSE_HZ / chip.bits(pll, 0, 6)
    vco = vco_in * chip.bits(pll, 6, 9)
    core = vco / (2 + 2 * chip.bits(pll, 16, 2))
    assert 1e6 <= vco_in <= 2e6 and 100e6 <= vco <= 432e6
    # Scale 1, the value after reset, carries 168 MHz without overdrive.
    assert core == chip.tick_hz == 168_000_000
    assert chip.bits(pll, 22) == 1 and chip.bits(pll, 24, 4) >= 2 and chip.bits(pll, 28, 3) >= 2
    config = 0x40023808
    apb = [2 << chip.bits(config, first, 2) for first in (10, 13)]
    assert [chip.bits(config, first) for first in (12, 15)] == [1, 1]
    assert core / apb[0] <= 45e6 and core / apb[1] <= 90e6
    assert chip.bits(config, 0, 2) == 2 and chip.bits(config, 4, 4) == 0
    assert chip.bits(0x40023C00, 0, 4) >= core / 30e6 - 1
    assert chip.bits(0x40004408, 0, 16) == round(core / apb[0] / BAUD)


@pytest.mark.parametrize("ready", [0, 1])
def test_without_crystal_or_pll_the_internal_clock_serves(ready: int) -> None:
    chip = start(ready=ready)
    assert chip.tick_hz == HSI_HZ
    assert chip.bits(0x40023808, 0, 2) == 0
    assert chip.bits(0x40023800, 0) == 1 and chip.bits(0x40023800, 24) == 0
    assert chip.bits(0x40004408, 0, 16) == round(HSI_HZ / BAUD)


def test_an_emulator_without_clock_registers_is_left_alone() -> None:
    chip = start(control=0, ready=0)
    assert chip.tick_hz == 168_000_000
    assert chip.registers[0x40023800] == chip.registers[0x40023808] == 0
    assert chip.bits(0x40004408, 0, 16) == round(42e6 / BAUD)


def test_usart2_is_on_its_pins() -> None:
    chip = start()
    assert chip.bits(0x40023830, 0) == 1 and chip.bits(0x40023840, 17) == 1
    assert chip.bits(0x40020000, 4, 4) == 0b1010
    assert chip.bits(0x40020020, 8, 8) == 0x77
    assert chip.interrupt == 38
    assert chip.registers[0x4000440C] == 1 << 13 | 1 << 5 | 1 << 3 | 1 << 2


@pytest.mark.parametrize(
    ("causes", "debug", "warm"),
    [
        (POWER_ON, 0, False),
        (0, 0, False),  # an emulator without the register: the marker in RAM decides alone
        (PIN, 0, True),
        (BROWN_OUT | PIN, 0, True),
        (PIN | SOFTWARE, 0, True),
        (POWER_ON | SOFTWARE, 0, True),
        (POWER_ON | INDEPENDENT_WATCHDOG, 0, True),
        (POWER_ON, 1, True),
    ],
    ids=[
        "power-on",
        "unknown",
        "button",
        "brown-out",
        "reset%",
        "stale, reset",
        "stale, watchdog",
        "probe",
    ],
)
def test_only_a_power_on_counts_as_one(causes: int, debug: int, warm: bool) -> None:
    chip = start(causes=causes, debug=debug)
    assert chip.warm is warm
    assert chip.bits(0x40023874, 24) == 1


@pytest.mark.parametrize(
    ("level", "meaning"),
    [(0xAA, Protection.OPEN), (0xCC, Protection.PERMANENT), (0, Protection.FLASH)],
)
def test_the_read_out_protection_is_read_from_the_option_bytes(
    level: int, meaning: Protection
) -> None:
    assert start(options=0x0FFF00ED | level << 8).protection is meaning


def test_an_emulated_chip_has_no_protection() -> None:
    assert start(control=0, ready=0).protection is Protection.NONE


def flash_operations(control: int) -> list[str]:
    """What the port's flash driver makes the fake controller do."""
    port = FIRMWARE / "port" / "stm32f4"
    sources = [HERE / "stm32f4_flash_driver.c", port / "flash.c"]
    flags = [*SANITIZERS, f"-I{HERE / 'registers'}"]
    program = compile_native("stm32f4_flash", sources, flags)
    done = subprocess.run([str(program), f"{control:x}"], capture_output=True, text=True)
    assert done.returncode == 0 and done.stderr == "", done.stdout + done.stderr
    return done.stdout.splitlines()


def test_the_store_s_sectors_are_erased_and_programmed_as_the_manual_says() -> None:
    words = ("12345678", "ffffffff", "00000000")
    expected = ["page 16384"]
    for page in range(2):
        expected.append(f"erase {1 + page}")
        expected += [f"program {0x1000 * page + 8 + i} {word}" for i, word in enumerate(words)]
    # Locked again, the caches as before, the data cache emptied after each erase.
    assert flash_operations(CR_AT_RESET) == [*expected, "locked 1", "cache 00000705", "resets 2"]


def test_an_emulator_without_a_flash_controller_has_no_store() -> None:
    assert flash_operations(0) == ["none"]
