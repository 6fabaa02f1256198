"""What the nRF52 port writes into its registers, against the Product Specification v1.7."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest
from chips import FAKES, HERE, Family, Start

from rbnn.engine.compile import FIRMWARE, SANITIZERS, compile_native
from rbnn.image.board import load_board
from rbnn.spec.link import Protection

FAMILY = Family("nrf52")
BOARD = load_board("nrf52840-dk")
PIN, WATCHDOG, SOFTWARE, LOCKUP, SYSTEM_OFF = (1 << bit for bit in (0, 1, 2, 3, 16))
PAGE_BYTES = 4096
CLOSED, HW_DISABLED, ERASED = 0xFFFFFF00, 0xFFFFFF5A, 0xFFFFFFFF


def start(*, crystal: bool = True, **held: int) -> Start:
    """Start on a fake chip of revision 3 as it is after power-on."""
    rules = FAMILY.rule("ready", "CLOCK_EVENTS_HFCLKSTARTED", 0, 1 if crystal else 0)
    reset: dict[str, Any] = {"FICR_PART": 8, "FICR_REVISION": 3, "UICR_APPROTECT": HW_DISABLED}
    return FAMILY.start(rules, **(reset | held))


@pytest.mark.parametrize("crystal", [True, False])
def test_the_serial_line_is_on_its_pins(crystal: bool) -> None:
    chip = start(crystal=crystal)
    assert chip.tick_hz == 64_000_000 == BOARD.clock_hz
    assert chip.registers["CLOCK_TASKS_HFCLKSTART"] == 1 == chip.registers["NVMC_ICACHECNF"]
    assert chip.registers["UART0_PSEL_TXD"] == 6 and chip.registers["UART0_PSEL_RXD"] == 8
    assert chip.registers["P0_PIN_CNF6"] == 3 and chip.registers["P0_PIN_CNF8"] == 3 << 2
    assert chip.registers["P0_OUTSET"] == 1 << 6
    assert chip.registers["UART0_BAUDRATE"] == 0x01D7E000 and chip.registers["UART0_ENABLE"] == 4
    assert chip.registers["UART0_INTENSET"] == 1 << 2 | 1 << 9 and chip.interrupt == 2
    assert chip.registers["UART0_TASKS_STARTRX"] == 1 == chip.registers["UART0_TASKS_STARTTX"]
    idle = chip.position("P0_OUTSET", 1 << 6, 1 << 6)
    assert idle < chip.position("P0_PIN_CNF6", 3, 3) < chip.position("UART0_ENABLE", 4, 4)


@pytest.mark.parametrize(
    ("causes", "debug", "warm"),
    [
        (0, 0, False),
        (PIN, 0, True),
        (WATCHDOG, 0, True),
        (SOFTWARE, 0, True),
        (LOCKUP, 0, True),
        (SYSTEM_OFF, 0, True),
        (0, 1, True),
    ],
)
def test_only_a_power_on_counts_as_one(causes: int, debug: int, warm: bool) -> None:
    chip = start(POWER_RESETREAS=causes, DEBUG_DHCSR=debug)
    assert chip.warm is warm
    assert chip.registers["POWER_RESETREAS"] == causes, "written back as ones, which clears them"


@pytest.mark.parametrize(
    ("revision", "held", "meaning"),
    [
        (2, ERASED, Protection.OPEN),
        (2, CLOSED, Protection.CHIP),
        (3, HW_DISABLED, Protection.OPEN),
        (3, ERASED, Protection.CHIP),
        (3, CLOSED, Protection.CHIP),
    ],
)
def test_the_access_port_s_protection_is_read_by_the_chip_s_revision(
    revision: int, held: int, meaning: Protection
) -> None:
    chip = start(FICR_REVISION=revision, UICR_APPROTECT=held)
    assert chip.protection is meaning
    # What UICR says is passed on, so that an open chip stays open; older ones need nothing.
    assert chip.registers.get("APPROTECT_DISABLE") == (held if revision == 3 else None)


def test_the_store_s_pages_are_erased_and_programmed_as_the_specification_says() -> None:
    sources = [HERE / "nrf52_flash_driver.c", FIRMWARE / "port" / "nrf52" / "flash.c"]
    program = compile_native("nrf52_flash", sources, [*SANITIZERS, f"-I{FAKES}"])
    done = subprocess.run([str(program)], capture_output=True, text=True)
    expected = ["page 4096"]
    for page in range(2):
        words = ("12345678", "ffffffff", "00000000")
        expected.append(f"erase {page}")
        expected += [f"program {0x400 * page + 8 + i} {word}" for i, word in enumerate(words)]
    assert done.stdout.splitlines() == [*expected, "mode 0"], done.stderr


def test_the_store_s_pages_are_the_manifest_s() -> None:
    assert BOARD.store.address == 0xFA000 and BOARD.store.bytes == 2 * PAGE_BYTES
    regions = (BOARD.flash, BOARD.store, BOARD.provisioning)
    assert all(region.address % PAGE_BYTES == region.bytes % PAGE_BYTES == 0 for region in regions)
    assert BOARD.provisioning.end == 0x100000 and BOARD.noinit.end == 0x2004_0000
