"""What the STM32H7 port writes into its registers, against the limits of RM0433 and DS12110."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest
from chips import FAKES, HERE, Family, Start

from rbnn.engine.compile import FIRMWARE, SANITIZERS, compile_native
from rbnn.image.board import load_board
from rbnn.spec.link import BAUD, Protection

FAMILY = Family("stm32h7")
BOARD = load_board("nucleo-h743zi")
HSI_HZ = 64_000_000
POWER_ON = 1 << 23 | 1 << 22 | 1 << 21
PIN, SOFTWARE, WATCHDOG = 1 << 22, 1 << 24, 1 << 26
SECTOR_BYTES = 0x2_0000


def start(*, supply: bool = True, pll: bool = True, **held: int) -> Start:
    """Start on a fake chip as it is after reset; its data cache has 2 sets of 2 ways."""
    rules = FAMILY.rule("ready", "RCC_CR", 1 << 24, 1 << 25 if pll else 0)
    rules += FAMILY.rule("ready", "PWR_CSR1", 0, 1 << 13 if supply else 0)
    rules += FAMILY.rule("ready", "PWR_D3CR", 3 << 14, 1 << 13)
    rules += FAMILY.rule("status", "RCC_CFGR", 7, 3)
    reset: dict[str, Any] = {
        **{"RCC_CR": 0x25, "RCC_RSR": POWER_ON, "PWR_CR3": 6, "FLASH_ACR": 0x37},
        **{"FLASH_OPTSR_CUR": 0xAA << 8, "SCB_CCSIDR": 1 << 13 | 1 << 3},
    }
    return FAMILY.start(rules, **(reset | held))


def test_the_clock_tree_stays_within_the_chip_s_limits() -> None:
    chip = start()
    source = HSI_HZ / chip.bits("RCC_PLLCKSELR", 4, 6)
    vco = source * (1 + chip.bits("RCC_PLL1DIVR", 0, 9))
    core = vco / (1 + chip.bits("RCC_PLL1DIVR", 9, 7))
    assert chip.bits("RCC_PLLCFGR", 2, 2) == 3 and 8e6 <= source <= 16e6
    assert chip.bits("RCC_PLLCFGR", 1) == 0 and 192e6 <= vco <= 836e6
    assert core == chip.tick_hz == 400_000_000 == BOARD.clock_hz
    halves = {8: 2, 4: 2, 0: 1}
    axi = core / halves[chip.bits("RCC_D1CFGR", 0, 4)]
    assert chip.bits("RCC_D1CFGR", 8, 4) == 0 and axi <= 200e6
    dividers = [("RCC_D1CFGR", 4), ("RCC_D2CFGR", 4), ("RCC_D2CFGR", 8), ("RCC_D3CFGR", 4)]
    buses = {axi / halves[chip.bits(register, first, 3)] for register, first in dividers}
    assert buses == {100e6}
    # Voltage scale 1: 2 wait states up to 210 MHz, with the delay for 185 MHz and more.
    assert chip.registers["FLASH_ACR"] == 2 | 2 << 4
    assert chip.bits("PWR_D3CR", 14, 2) == 3 and chip.bits("PWR_CR3", 0, 3) == 2
    assert chip.registers["USART3_BRR"] == round(100e6 / BAUD)
    assert chip.bits("RCC_CFGR", 0, 3) == 3


def test_the_speed_rises_after_voltage_and_wait_states() -> None:
    chip = start()
    scaled = chip.position("PWR_D3CR", 3 << 14, 3 << 14)
    waiting = chip.position("FLASH_ACR", 0x3F, 0x22)
    divided = chip.position("RCC_D1CFGR", 0xF, 8)
    assert scaled < waiting < divided < chip.position("RCC_CFGR", 7, 3)


@pytest.mark.parametrize(("supply", "pll"), [(False, True), (True, False)])
def test_without_supply_or_pll_the_internal_clock_serves(supply: bool, pll: bool) -> None:
    chip = start(supply=supply, pll=pll)
    assert chip.tick_hz == HSI_HZ and chip.bits("RCC_CFGR", 0, 3) == 0
    assert chip.registers["USART3_BRR"] == round(HSI_HZ / BAUD)


def test_what_changes_is_never_in_the_data_cache() -> None:
    """Fingerprint, store and provisioning are in uncached regions, and the RAM is the DTCM."""
    chip = start()
    base = 0
    regions = []
    for name, value in chip.written:
        if name == "MPU_RBAR":
            base = value & ~0x1F
        if name == "MPU_RASR":
            size = 2 << (value >> 1 & 31)
            assert value & 1 and value >> 28 & 1 and value >> 24 & 7 == 3, "data, full access"
            assert (value >> 19 & 7, value >> 16 & 3) == (1, 0), "normal memory, not cached"
            assert base % size == 0
            parts = range(8) if size >= 256 else ()
            parts = [part for part in parts if not value >> 8 + part & 1]
            regions += [(base + part * size // 8, base + (part + 1) * size // 8) for part in parts]

    def is_uncached(address: int) -> bool:
        return any(first <= address < end for first, end in regions)

    for region in (BOARD.store, BOARD.provisioning, BOARD.noinit):
        assert is_uncached(region.address) and is_uncached(region.end - 1)
    assert not is_uncached(BOARD.flash.end - 1)
    assert BOARD.ram.address >= 0x2000_0000 and BOARD.ram.end <= 0x2002_0000
    # The map holds before the caches are on, and the data cache was emptied.
    on = chip.position("SCB_CCR", 3 << 16, 3 << 16)
    assert chip.position("MPU_CTRL", 5, 5) < on
    assert chip.position("SCB_DCISW", 0xFFFFFFFF, 1 << 30 | 1 << 5) < on


def test_the_serial_line_is_on_its_pins() -> None:
    chip = start()
    assert chip.bits("RCC_AHB4ENR", 3) == 1 and chip.bits("RCC_APB1LENR", 18) == 1
    assert chip.bits("GPIOD_MODER", 16, 4) == 0b1010 and chip.bits("GPIOD_AFRH", 0, 8) == 0x77
    assert chip.interrupt == 39 and chip.registers["USART3_CR1"] == 0x2000002D


@pytest.mark.parametrize(
    ("causes", "debug", "warm"),
    [
        (POWER_ON, 0, False),
        (PIN, 0, True),
        (1 << 21 | PIN, 0, True),  # a brown-out
        (POWER_ON | SOFTWARE, 0, True),
        (POWER_ON | WATCHDOG, 0, True),
        (0, 0, True),
        (POWER_ON, 1, True),
    ],
)
def test_only_a_power_on_counts_as_one(causes: int, debug: int, warm: bool) -> None:
    chip = start(RCC_RSR=causes, DEBUG_DHCSR=debug)
    assert chip.warm is warm
    assert chip.bits("RCC_RSR", 16) == 1


@pytest.mark.parametrize(
    ("level", "meaning"),
    [(0xAA, Protection.OPEN), (0xCC, Protection.PERMANENT), (0x55, Protection.FLASH)],
)
def test_the_read_out_protection_is_read_from_the_option_bytes(
    level: int, meaning: Protection
) -> None:
    assert start(FLASH_OPTSR_CUR=level << 8).protection is meaning


def flash_operations(options: int) -> list[str]:
    """What the port's flash driver makes the fake controller do."""
    sources = [HERE / "stm32h7_flash_driver.c", FIRMWARE / "port" / "stm32h7" / "flash.c"]
    program = compile_native("stm32h7_flash", sources, [*SANITIZERS, f"-I{FAKES}"])
    done = subprocess.run([str(program), f"{options:x}"], capture_output=True, text=True)
    assert done.returncode == 0 and done.stderr == "", done.stdout + done.stderr
    return done.stdout.splitlines()


def test_the_store_s_pages_are_erased_and_programmed_as_the_manual_says() -> None:
    expected = ["page 16384"]
    for page in range(2):
        expected += [f"erase {page}", *(f"program {0x8000 * page + at}" for at in (8, 16))]
    expected += ["locked 1", "reads 1 0 1", "faults ignored 0"]
    assert flash_operations(0xAA00) == expected


def test_a_chip_with_swapped_banks_has_no_store() -> None:
    assert flash_operations(1 << 31) == ["none"]


def test_the_store_s_sectors_are_the_manifest_s() -> None:
    """Sectors 6 and 7 of the second bank; provisioning has sector 5."""
    assert BOARD.store.address == 0x0810_0000 + 6 * SECTOR_BYTES
    assert BOARD.store.bytes == 2 * SECTOR_BYTES and BOARD.provisioning.bytes == SECTOR_BYTES
    assert BOARD.provisioning.end == BOARD.store.address and BOARD.flash.bytes % SECTOR_BYTES == 0
    assert BOARD.store.end == 0x0820_0000
