"""What the STM32L4+ port writes into its registers, against the limits of RM0432 and DS12023."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest
from chips import FAKES, HERE, Family, Start

from rbnn.engine.compile import FIRMWARE, SANITIZERS, compile_native
from rbnn.image.board import load_board
from rbnn.spec.link import BAUD, Protection

FAMILY = Family("stm32l4")
HSI_HZ = 16_000_000
BROWN_OUT, PIN = 1 << 27, 1 << 26
POWER_ON = BROWN_OUT | PIN
FIREWALL, OPTIONS, SOFTWARE, WATCHDOG = (1 << bit for bit in (24, 25, 28, 29))
PAGE_BYTES = 4096


def start(*, hsi: bool = True, pll: bool = True, **held: int) -> Start:
    """Start on a fake chip as it is after reset."""
    rules = FAMILY.rule("ready", "RCC_CR", 1 << 8, 1 << 10 if hsi else 0)
    rules += FAMILY.rule("ready", "RCC_CR", 1 << 24, 1 << 25 if pll else 0)
    rules += FAMILY.rule("status", "RCC_CFGR", 3, 2)
    reset: dict[str, Any] = {
        **{"RCC_CR": 0x63, "RCC_CSR": POWER_ON, "PWR_CR5": 1 << 8, "GPIOG_MODER": 0xFFFFFFFF},
        "FLASH_OPTR": 0xFFEFF8AA,
    }
    return FAMILY.start(rules, **(reset | held))


def test_the_clock_tree_stays_within_the_chip_s_limits() -> None:
    chip = start()
    source = HSI_HZ / (1 + chip.bits("RCC_PLLCFGR", 4, 4))
    vco = source * chip.bits("RCC_PLLCFGR", 8, 7)
    core = vco / (2 + 2 * chip.bits("RCC_PLLCFGR", 25, 2))
    assert chip.bits("RCC_PLLCFGR", 0, 2) == 2 and chip.bits("RCC_PLLCFGR", 24) == 1
    assert 2.66e6 <= source <= 16e6 and 64e6 <= vco <= 344e6
    assert core == chip.tick_hz == 120_000_000 == load_board("nucleo-l4r5zi").clock_hz
    # The serial line's clock is the core's: no divider of AHB or APB1 is left.
    assert chip.bits("RCC_CFGR", 0, 2) == 3 and chip.bits("RCC_CFGR", 4, 10) == 0
    # Range 1 boost allows 20 MHz more for each wait state.
    assert chip.bits("FLASH_ACR", 0, 4) >= core / 20e6 - 1 and chip.bits("FLASH_ACR", 8, 3) == 7
    assert chip.bits("PWR_CR5", 8) == 0
    assert chip.registers["LPUART1_BRR"] == round(256 * core / BAUD) >= 0x300


def test_the_speed_rises_in_the_order_that_the_boost_mode_needs() -> None:
    chip = start()
    halved = chip.position("RCC_CFGR", 0xF3, 8 << 4)
    boosted = chip.position("PWR_CR5", 1 << 8, 0)
    waiting = chip.position("FLASH_ACR", 0xF, 5)
    switched = chip.position("RCC_CFGR", 0xF3, 8 << 4 | 3)
    whole = chip.position("RCC_CFGR", 0xF3, 3)
    assert halved < boosted < waiting < switched < whole


def test_without_the_pll_the_internal_clock_serves() -> None:
    chip = start(pll=False)
    assert chip.tick_hz == HSI_HZ
    assert chip.bits("RCC_CFGR", 0, 2) == 1 and chip.bits("RCC_CR", 24) == 0
    assert chip.registers["LPUART1_BRR"] == round(256 * HSI_HZ / BAUD)


def test_without_any_other_clock_the_one_after_reset_stays() -> None:
    chip = start(hsi=False)
    assert chip.tick_hz == 4_000_000 and chip.registers.get("RCC_CFGR", 0) == 0
    assert chip.registers["LPUART1_BRR"] == round(256 * 4e6 / BAUD) >= 0x300


def test_the_serial_line_is_on_its_pins_with_their_supply() -> None:
    chip = start()
    assert chip.bits("PWR_CR2", 9) == 1
    assert chip.position("PWR_CR2", 1 << 9, 1 << 9) < chip.position("GPIOG_AFRL", 0, 0)
    assert chip.bits("RCC_AHB2ENR", 6) == 1 and chip.bits("RCC_APB1ENR2", 0) == 1
    assert chip.bits("GPIOG_MODER", 14, 4) == 0b1010
    assert chip.bits("GPIOG_AFRL", 28, 4) == 8 and chip.bits("GPIOG_AFRH", 0, 4) == 8
    assert chip.interrupt == 70 and chip.registers["LPUART1_CR1"] == 0x2000002D


@pytest.mark.parametrize(
    ("causes", "debug", "warm"),
    [
        (POWER_ON, 0, False),
        (PIN, 0, True),
        (PIN | SOFTWARE, 0, True),
        (POWER_ON | SOFTWARE, 0, True),
        (POWER_ON | WATCHDOG, 0, True),
        (POWER_ON | OPTIONS, 0, True),
        (POWER_ON | FIREWALL, 0, True),
        (0, 0, True),
        (POWER_ON, 1, True),
    ],
)
def test_only_a_power_on_counts_as_one(causes: int, debug: int, warm: bool) -> None:
    chip = start(RCC_CSR=causes, DEBUG_DHCSR=debug)
    assert chip.warm is warm
    assert chip.bits("RCC_CSR", 23) == 1


@pytest.mark.parametrize(
    ("level", "meaning"),
    [(0xAA, Protection.OPEN), (0xCC, Protection.PERMANENT), (0x55, Protection.FLASH)],
)
def test_the_read_out_protection_is_read_from_the_option_bytes(
    level: int, meaning: Protection
) -> None:
    assert start(FLASH_OPTR=0xFFEFF800 | level).protection is meaning


def flash_operations(options: int) -> list[str]:
    """What the port's flash driver makes the fake controller do."""
    sources = [HERE / "stm32l4_flash_driver.c", FIRMWARE / "port" / "stm32l4" / "flash.c"]
    program = compile_native("stm32l4_flash", sources, [*SANITIZERS, f"-I{FAKES}"])
    done = subprocess.run([str(program), f"{options:x}"], capture_output=True, text=True)
    assert done.stderr == "", done.stdout + done.stderr
    return done.stdout.splitlines()


def test_the_store_s_pages_are_erased_and_programmed_as_the_manual_says() -> None:
    expected = ["page 4096"]
    for page in range(2):
        words = [f"program {0x400 * page + at}" for at in (8, 10)]
        expected += [
            f"erase {page}",
            f"{words[0]} ffffffff12345678",
            f"{words[1]} 9abcdef000000000",
        ]
    # Locked again, the caches as before, the data cache emptied after each operation.
    expected += ["locked 1", "cache 00000705", "resets 4"]
    # What cannot be corrected is refused where it was asked for; elsewhere it is a fault.
    assert flash_operations(1 << 22) == [*expected, "reads 1 0 1", "cache 00000705", "restarted"]


def test_a_chip_with_one_bank_has_no_store() -> None:
    assert flash_operations(0) == ["none"]


def test_the_store_s_pages_are_the_manifest_s() -> None:
    """Pages 250 and 251 of the second bank; provisioning and image share no page with them."""
    board = load_board("nucleo-l4r5zi")
    assert board.store.address == 0x0810_0000 + 250 * PAGE_BYTES
    assert board.store.bytes == 2 * PAGE_BYTES
    regions = (board.flash, board.store, board.provisioning)
    assert all(region.address % PAGE_BYTES == region.bytes % PAGE_BYTES == 0 for region in regions)
    assert board.provisioning.end == 0x0820_0000
