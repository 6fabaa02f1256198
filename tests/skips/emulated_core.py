"""The firmware's own ELF on a Cortex-M4 in Unicorn, which can leave out one instruction.

Unicorn has no peripherals: reads of registers give zero, what is written to the UART is kept, and
bytes for the firmware are put into its receive ring when it asks for more. A fault, or a request to
reset, ends a run: the device restarts without keys.
"""

from __future__ import annotations

import struct
import time
from collections import Counter
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import unicorn
from elftools.elf.elffile import ELFFile
from unicorn import arm_const, unicorn_const

from rbnn.image.board import Board

UART_DATA = 0x4000_4000
AIRCR = 0xE000_ED0C
PAGE = 0x1000
RING_BYTES = 2048
NOP, WIDE_NOP = b"\x00\xbf", b"\xaf\xf3\x00\x80"
THUMB = 1
HANG_S = 0.4
"""Processor time after which a run does not come back; the longest takes a tenth of it."""
LOOK_US = 500_000
READABLE = unicorn_const.UC_PROT_READ | unicorn_const.UC_PROT_EXEC
"""Of flash: a write to it is a fault."""


class End(Enum):
    """How a run ended."""

    WAITS = "waits for the next byte"
    RESTARTED = "restarted"
    HANGS = "does not come back"


@dataclass(frozen=True)
class Snapshot:
    """Registers, RAM and store while the firmware waits for input, and what it had printed."""

    registers: Any
    ram: bytes
    store: bytes


def whole_pages(start: int, size: int) -> tuple[int, int]:
    """The pages that hold a region."""
    first = start // PAGE * PAGE
    return first, (start + size - first + PAGE - 1) // PAGE * PAGE


class EmulatedCore:
    """A device that was just powered on.

    Args:
        elf: the firmware.
        board: its manifest.
        pattern: SRAM at power-on.
        provisioning: the partition; erased flash follows it.
        store: the start of the flash of the store; erased flash follows it.
    """

    def __init__(
        self, elf: Path, board: Board, pattern: bytes, provisioning: bytes, store: bytes
    ) -> None:
        self.machine = unicorn.Uc(
            unicorn_const.UC_ARCH_ARM, unicorn_const.UC_MODE_THUMB | unicorn_const.UC_MODE_MCLASS
        )
        self.machine.ctl_set_cpu_model(arm_const.UC_CPU_ARM_CORTEX_M4)
        self.printed = bytearray()
        self._stopped: End | None = None
        self._leaves_wait = False
        with elf.open("rb") as stream:
            image = ELFFile(stream)
            self.symbols = {
                symbol.name: symbol["st_value"]
                for symbol in image.get_section_by_name(".symtab").iter_symbols()
            }
            segments = [
                (segment["p_paddr"], segment.data())
                for segment in image.iter_segments()
                if segment["p_type"] == "PT_LOAD" and segment["p_filesz"]
            ]
        flash = (board.flash.address, board.provisioning.address + board.provisioning.bytes)
        start, size = whole_pages(flash[0], flash[1] - flash[0])
        self.machine.mem_map(start, size, READABLE)
        self.flash_end = start + size
        for address, data in segments:
            self.machine.mem_write(address, data)
        self.machine.mem_write(board.provisioning.address, b"\xff" * board.provisioning.bytes)
        self.machine.mem_write(board.provisioning.address, provisioning)
        ram_end = board.noinit.address + board.noinit.bytes
        self._ram = whole_pages(board.ram.address, ram_end - board.ram.address)
        # The word behind the pages is the emulated board's: when power fails. Zero: never.
        self._store = whole_pages(board.store.address, board.store.bytes + 4)
        for region in (self._ram, self._store):
            self.machine.mem_map(*region)
        self.machine.mem_write(board.store.address, store.ljust(board.store.bytes, b"\xff"))
        self.machine.mem_write(board.noinit.address, pattern)
        self._map_registers()
        self._wait = self.symbols["rbnn_port_wait"] & ~THUMB
        self.machine.hook_add(
            unicorn_const.UC_HOOK_CODE, self._stop_at_wait, begin=self._wait, end=self._wait
        )
        self.machine.hook_add(unicorn_const.UC_HOOK_INTR, self._stop_at_fault)
        stack, reset = struct.unpack("<II", self.machine.mem_read(board.flash.address, 8))
        self.machine.reg_write(arm_const.UC_ARM_REG_SP, stack)
        self.machine.reg_write(arm_const.UC_ARM_REG_PC, reset)

    def _map_registers(self) -> None:
        def read(_: Any, offset: int, size: int, base: int) -> int:
            return 0

        def write(_: Any, offset: int, size: int, value: int, base: int) -> None:
            if base + offset == UART_DATA:
                self.printed.append(value & 0xFF)
            elif base + offset == AIRCR:
                self._stop(End.RESTARTED)

        for base in (0x4000_0000, 0xE000_E000):
            size = 0x10_0000 if base < 0xE000_0000 else PAGE
            self.machine.mmio_map(base, size, read, base, write, base)

    def _stop(self, end: End) -> None:
        self._stopped = end
        self.machine.emu_stop()

    def _stop_at_wait(self, *_: Any) -> None:
        if self._leaves_wait:  # where the last run stopped
            self._leaves_wait = False
        else:
            self._stop(End.WAITS)

    def _stop_at_fault(self, *_: Any) -> None:
        self._stop(End.RESTARTED)

    @property
    def counter(self) -> int:
        """Where it stands."""
        return int(self.machine.reg_read(arm_const.UC_ARM_REG_PC)) & ~THUMB

    def word(self, symbol: str, offset: int = 0) -> int:
        """A word of RAM."""
        data = self.machine.mem_read(self.symbols[symbol] + offset, 4)
        return int(struct.unpack("<I", data)[0])

    def ram(self) -> bytes:
        """All of it."""
        return bytes(self.machine.mem_read(*self._ram))

    def save(self) -> Snapshot:
        """Where to come back to; the firmware waits for input."""
        store = bytes(self.machine.mem_read(*self._store))
        return Snapshot(self.machine.context_save(), self.ram(), store)

    def restore(self, snapshot: Snapshot) -> None:
        """Come back."""
        self.machine.context_restore(snapshot.registers)
        self.machine.mem_write(self._ram[0], snapshot.ram)
        self.machine.mem_write(self._store[0], snapshot.store)
        self.printed.clear()

    def feed(self, data: bytes) -> None:
        """Put bytes into the empty receive ring, as the serial interrupt does."""
        if len(data) > RING_BYTES:
            raise ValueError(f"The ring takes {RING_BYTES} bytes. Received: {len(data)}")
        head = self.word("head")
        for number, byte in enumerate(data):
            place = self.symbols["ring"] + (head + number) % RING_BYTES
            self.machine.mem_write(place, bytes([byte]))
        self.machine.mem_write(self.symbols["head"], struct.pack("<I", (head + len(data)) % 2**32))

    def run(self, until: int | None = None) -> End | None:
        """Go on until the firmware waits for input, or stands at ``until``: then None."""
        self._stopped = None
        self._leaves_wait = self.counter == self._wait
        if until is not None:
            self.forget(until)
        end = time.process_time() + HANG_S
        stop = self.flash_end if until is None else until
        try:
            while self._stopped is None and time.process_time() < end:
                self.machine.emu_start(self.counter | THUMB, stop, timeout=LOOK_US)
                if until is not None and self.counter == until:
                    return None
        except unicorn.UcError:
            return End.RESTARTED
        finally:
            if until is not None:
                self.forget(until)
        return self._stopped or End.HANGS

    def run_without(self, address: int, size: int, until: int) -> End | None:
        """Go on to ``until``, the instruction at ``address`` doing nothing."""
        code = bytes(self.machine.mem_read(address, size))
        try:
            self.machine.mem_write(address, NOP if size == len(NOP) else WIDE_NOP)
            self.forget(address)
            return self.run(until)
        finally:
            self.machine.mem_write(address, code)
            self.forget(address)

    def run_to(self, address: int, execution: int) -> End | None:
        """Go on to the ``execution``th time that the instruction at ``address`` is reached."""
        if execution == 1:
            return self.run(address)
        left = execution

        def count(*_: Any) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                self.machine.emu_stop()

        self.forget(address)
        hook = self.machine.hook_add(unicorn_const.UC_HOOK_CODE, count, begin=address, end=address)
        try:
            self._leaves_wait = self.counter == self._wait
            self._stopped = None
            self.machine.emu_start(self.counter | THUMB, self.flash_end)
        finally:
            self.machine.hook_del(hook)
            self.forget(address)
        return None if left == 0 else self._stopped or End.HANGS

    def trace(self) -> Counter[tuple[int, int]]:
        """Run until it waits; how often each basic block was entered, by address and size."""
        blocks: Counter[tuple[int, int]] = Counter()

        def enter(_: Any, address: int, size: int, __: Any) -> None:
            blocks[address, size] += 1

        self.machine.ctl_flush_tb()
        hook = self.machine.hook_add(unicorn_const.UC_HOOK_BLOCK, enter)
        try:
            self._leaves_wait = self.counter == self._wait
            self._stopped = None
            self.machine.emu_start(self.counter | THUMB, self.flash_end)
        finally:
            self.machine.hook_del(hook)
            self.machine.ctl_flush_tb()
        for block in blocks:
            if block[0] == self._wait:  # the last time, it was entered but not executed
                blocks[block] -= 1
        return blocks

    def halfword(self, address: int) -> int:
        """A part of an instruction."""
        return int.from_bytes(self.machine.mem_read(address, 2), "little")

    def forget(self, address: int) -> None:
        """Translate the code at an address anew, with what it and its hooks are now."""
        self.machine.ctl_remove_cache(address, address + 4)
