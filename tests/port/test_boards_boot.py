"""The images of the boards that QEMU does not have, on modelled chips: they boot, enrol, and
keep a store. A model does what the manual says; it is no chip."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from modelled_board import Model, ModelledBoard
from unicorn import arm_const

from rbnn.image import platformio
from rbnn.image.board import load_board
from rbnn.keys.fingerprint import Fingerprint

pytestmark = pytest.mark.skipif(
    shutil.which("arm-none-eabi-gcc") is None,
    reason="apt-get install gcc-arm-none-eabi libnewlib-arm-none-eabi",
)


def l4_erases(control: int) -> tuple[int, int] | None:
    """STRT and PER; PNB, BKER."""
    if control & 0x1_0002 != 0x1_0002:
        return None
    bank, page = control >> 11 & 1, control >> 3 & 0xFF
    return 0x0800_0000 + (bank << 20) + page * 0x1000, 0x1000


def h7_erases(control: int) -> tuple[int, int] | None:
    """START and SER; SNB, of the second bank."""
    if control & 0x84 != 0x84:
        return None
    return 0x0810_0000 + (control >> 8 & 7) * 0x2_0000, 0x2_0000


MODELS = {
    "nucleo-l4r5zi": Model(
        arm_const.UC_CPU_ARM_CORTEX_M4,
        "LPUART1_TDR",
        {"LPUART1_ISR": 0xC0, "FLASH_OPTR": 0xFFEFF8AA, "RCC_CSR": 0x0C00_0000},
        ("FLASH_CR", l4_erases),
        ready=[("RCC_CR", 1 << 8, 1 << 10), ("RCC_CR", 1 << 24, 1 << 25)],
        status=[("RCC_CFGR", 3, 2)],
    ),
    "nucleo-h743zi": Model(
        arm_const.UC_CPU_ARM_CORTEX_M7,
        "USART3_TDR",
        {
            "USART3_ISR": 0xC0,
            "FLASH_OPTSR_CUR": 0xAA00,
            "RCC_RSR": 0x00E0_0000,
            "PWR_CSR1": 1 << 13,
        },
        ("FLASH_CR2", h7_erases),
        ready=[("RCC_CR", 1 << 24, 1 << 25), ("PWR_D3CR", 3 << 14, 1 << 13)],
        status=[("RCC_CFGR", 7, 3)],
    ),
    "nrf52840-dk": Model(
        arm_const.UC_CPU_ARM_CORTEX_M4,
        "UART0_TXD",
        {
            **{"NVMC_READY": 1, "CLOCK_EVENTS_HFCLKSTARTED": 1, "FICR_PART": 8},
            **{"FICR_REVISION": 3, "UICR_APPROTECT": 0xFFFFFF5A},
        },
        ("NVMC_ERASEPAGE", lambda address: (address, 0x1000)),
        sent=("UART0_EVENTS_TXDRDY", 1),
    ),
}


@pytest.mark.parametrize("name", MODELS)
def test_the_image_boots_enrols_and_keeps_a_store(name: str) -> None:
    board = load_board(name)
    pattern = Fingerprint.draw(3).power_up(0.05, np.random.default_rng(4))
    noise = np.random.default_rng(5).bytes(board.noinit.bytes - len(pattern))
    chip = ModelledBoard(platformio.build(board).elf, board, MODELS[name], pattern + noise)
    assert "m-ready" in chip.run()
    assert f"m-name-dut-[{name}]" in chip.send("name%")
    said = chip.send("id%")
    assert "m-puf-[fresh]" in said and "m-protection-[open]" in said
    said = chip.send("enroll%")
    assert "m-ready" in said and "e-[" not in said, said
    assert "m-puf-[enrolled]" in chip.send("id%")
    # Enrolment begins the store: both pages were erased, and the first has its header.
    assert set(chip.erased) >= {board.store.address}
    assert chip.machine.mem_read(board.store.address, 4) == b"RBST"
    assert not chip.has_restarted
    chip.send("reset%")
    assert chip.has_restarted
