"""A board's image on a modelled chip: Unicorn's core, and registers that follow a few rules.

More than a fake chip under a port: the whole image runs, from its vectors, at the board's
addresses, with its serial line and its store in a flash that the port erases and programs.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import unicorn
from chips import Family
from elftools.elf.elffile import ELFFile
from unicorn import arm_const, unicorn_const

from rbnn.image.board import Board

PAGE = 0x1000
CORE = 0xE000_E000
AIRCR = 0xE000_ED0C
THUMB = 1
MOST_S = 60
"""Processor time for an answer; the longest here takes a second."""


@dataclass
class Model:
    """How a chip family behaves, registers by name.

    Args:
        cpu: Unicorn's model of the core.
        sends: the register that takes a byte for the serial line.
        held: what registers hold after power-on.
        ready: (register, bits, bits that follow): as ``ready`` of chip_driver.c.
        status: (register, mask, shift): as ``status`` of chip_driver.c.
        sent: a register and what it holds once a byte was sent.
        erases: a register, and which flash what is written there erases: address and bytes.
    """

    cpu: int
    sends: str
    held: dict[str, int]
    erases: tuple[str, Callable[[int], tuple[int, int] | None]]
    ready: list[tuple[str, int, int]] = field(default_factory=list)
    status: list[tuple[str, int, int]] = field(default_factory=list)
    sent: tuple[str, int] | None = None


class ModelledBoard:
    """A board that was just powered on.

    Args:
        elf: its firmware.
        board: its manifest.
        model: of its chip.
        pattern: what ``noinit`` holds.
    """

    def __init__(self, elf: Path, board: Board, model: Model, pattern: bytes) -> None:
        self.family = Family(board.port)
        self.model = model
        self.printed = bytearray()
        self.erased: list[int] = []
        self.has_restarted = False
        self.registers = {self.family.registers[name]: value for name, value in model.held.items()}
        mode = unicorn_const.UC_MODE_THUMB | unicorn_const.UC_MODE_MCLASS
        self.machine = unicorn.Uc(unicorn_const.UC_ARCH_ARM, mode)
        self.machine.ctl_set_cpu_model(model.cpu)
        with elf.open("rb") as stream:
            image = ELFFile(stream)
            table = image.get_section_by_name(".symtab")
            self.symbols = {one.name: one["st_value"] for one in table.iter_symbols()}
            segments = [
                (segment["p_paddr"], segment.data())
                for segment in image.iter_segments()
                if segment["p_type"] == "PT_LOAD" and segment["p_filesz"]
            ]
        flash = board.image.address
        end = max(board.store.end, board.provisioning.end, board.flash.end)
        for start, size in ((flash, end - flash), (board.ram.address, board.ram.bytes)):
            self._map(start, size)
        self._map(board.noinit.address, board.noinit.bytes)
        self.machine.mem_write(flash, b"\xff" * (end - flash))
        for address, data in segments:
            self.machine.mem_write(address, data)
        self.machine.mem_write(board.noinit.address, pattern)
        addresses = [*self.family.registers.values(), CORE]
        for page in sorted({address // PAGE * PAGE for address in addresses}):
            self.machine.mmio_map(page, PAGE, self._read, page, self._write, page)
        self._wait = self.symbols["rbnn_port_wait"] & ~THUMB
        self._leaves_wait = self._is_waiting = False
        kind = unicorn_const.UC_HOOK_CODE
        self.machine.hook_add(kind, self._stop_at_wait, begin=self._wait, end=self._wait)
        self.machine.hook_add(unicorn_const.UC_HOOK_INTR, self._restart)
        stack, reset = struct.unpack("<II", self.machine.mem_read(flash, 8))
        self.machine.reg_write(arm_const.UC_ARM_REG_SP, stack)
        self.machine.reg_write(arm_const.UC_ARM_REG_PC, reset)

    def _map(self, start: int, size: int) -> None:
        mapped = [(first, last) for first, last, _ in self.machine.mem_regions()]
        for page in range(start // PAGE * PAGE, start + size, PAGE):
            if not any(first <= page <= last for first, last in mapped):
                end = (start + size + PAGE - 1) // PAGE * PAGE
                self.machine.mem_map(page, end - page)
                return

    def _read(self, _: Any, offset: int, size: int, page: int) -> int:
        return self.registers.get(page + offset, 0)

    def _write(self, _: Any, offset: int, size: int, value: int, page: int) -> None:
        address = page + offset
        named = self.family.names.get(address)
        if address == AIRCR:
            self._restart()
        if named == self.model.sends:
            self.printed.append(value & 0xFF)
            if self.model.sent:
                self.registers[self.family.registers[self.model.sent[0]]] = self.model.sent[1]
            return
        self.registers[address] = value
        for register, bits, follow in self.model.ready:
            if named == register:
                on = value & bits == bits
                value = value | follow if on else value & ~follow
                self.registers[address] = value
        for register, mask, shift in self.model.status:
            if named == register:
                self.registers[address] = value & ~(mask << shift) | (value & mask) << shift
        if named == self.model.erases[0] and (place := self.model.erases[1](value)):
            self.erased.append(place[0])
            self.machine.mem_write(place[0], b"\xff" * place[1])

    def _restart(self, *_: Any) -> None:
        self.has_restarted = True
        self.machine.emu_stop()

    def _stop_at_wait(self, *_: Any) -> None:
        if self._leaves_wait:
            self._leaves_wait = False
        else:
            self._is_waiting = True
            self.machine.emu_stop()

    def run(self) -> str:
        """Go on until it waits for input; what it has printed since the last time."""
        end = time.process_time() + MOST_S
        self._leaves_wait, self._is_waiting = self._is_waiting, False
        self.printed.clear()
        while not (self._is_waiting or self.has_restarted):
            assert time.process_time() < end, "the firmware hangs"
            counter = self.machine.reg_read(arm_const.UC_ARM_REG_PC)
            self.machine.emu_start(counter | THUMB, 0xFFFF_FFFE, timeout=2_000_000)
        return self.printed.decode()

    def send(self, text: str) -> str:
        """Put bytes into the receive ring, as the serial interrupt does, and read the answer."""
        head = int.from_bytes(self.machine.mem_read(self.symbols["head"], 4), "little")
        for number, byte in enumerate(text.encode(), head):
            self.machine.mem_write(self.symbols["ring"] + number % 2048, bytes([byte]))
        self.machine.mem_write(self.symbols["head"], struct.pack("<I", head + len(text)))
        return self.run()
