"""Where the RAM of two emulated devices differs after the same commands with other secrets."""

from __future__ import annotations

import struct
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import serial
from elftools.elf.elffile import ELFFile
from emulated_memory import debug_port, read_memory

from rbnn.device.emulated.debug_stub import DebugStub
from rbnn.device.emulated.emulator import Emulator
from rbnn.image.platformio import BuildResult
from rbnn.places import firmware_folder

GENERAL_REGISTERS = 13
"""r0 to r12, the first of the debugger's packet ``g``, 4 bytes each; the stack pointer follows."""
FRAME_BYTES = 32
HANDLER_BYTES = 16
NEVER_USED_OR_RETURN = (0xA5A5A5A5, 0xFFFFFFF9)
"""The paint of the stack, and what an interrupt returns to (Arm DDI 0403E, B1.5.8)."""
PERIPHERALS = range(0x40000000, 0x60000000)
COUNTED_BYTES = 1 << 20
ARRIVAL_S = 10.0
SETTLE_S = 0.02


@dataclass(frozen=True)
class Snapshot:
    """The registers and all memory that the firmware can write."""

    registers: bytes
    stack_pointer: int
    areas: dict[int, bytes]

    def differing(self, other: Snapshot) -> list[int]:
        """Addresses of the bytes that differ."""
        found = []
        for start, data in self.areas.items():
            one, two = (np.frombuffer(held, np.uint8) for held in (data, other.areas[start]))
            found += (start + np.flatnonzero(one != two)).tolist()
        return found

    def interrupted(self) -> tuple[int, ...]:
        """The frame of the last interrupt: the core pushes 8 words, which it leaves there."""
        start, stack = next(iter(self.areas.items()))
        at = self.stack_pointer - FRAME_BYTES - start
        return struct.unpack("<8I", stack[at : at + FRAME_BYTES])


class Places:
    """Names of addresses in RAM: symbols of the image, and members of the two large structs.

    Args:
        build: the image.
        members: of the variables ``device`` and ``serial`` (firmware/app/main.c), by variable.
        folder: for a source that the compiler lays out.
        model: the export folder, whose number of tasks decides where members are.
    """

    def __init__(
        self, build: BuildResult, members: Mapping[str, Sequence[str]], folder: Path, model: Path
    ) -> None:
        symbols: dict[str, tuple[int, int]] = {}
        self.areas: list[tuple[int, int]] = []
        """Address and size of all that the firmware can write; the stack first."""
        with build.elf.open("rb") as stream:
            image = ELFFile(stream)
            for part in image.iter_sections():
                start, size = part["sh_addr"], part["sh_size"]
                if build.board.ram.address <= start < build.board.ram.end and size:
                    self.areas.append((start, size))
            for symbol in image.get_section_by_name(".symtab").iter_symbols():
                if symbol["st_info"]["type"] == "STT_OBJECT":
                    symbols[symbol.name] = symbol["st_value"], symbol["st_size"]
        self.areas += [symbols[name] for name in ("puf_region", "marker")]
        self._named = [
            (f"{variable}.{member}", symbols[variable][0] + offset, size)
            for variable, names in members.items()
            for member, (offset, size) in _lay_out(variable, names, folder, model).items()
        ]
        self.received = symbols["head"][0]
        """The counter of received bytes in firmware/port/armv7m/receive.c."""
        self._named += [(name, *place) for name, place in symbols.items()]
        board = build.board
        self._addresses = [board.flash, board.provisioning, board.store, board.ram, board.noinit]

    def name(self, address: int) -> str:
        """What is at an address of RAM."""
        for name, start, size in self._named:
            if start <= address < start + size:
                return name
        return "stack" if address < sum(self.areas[0]) else f"{address:#x}"

    def differing(self, one: Snapshot, two: Snapshot) -> set[str]:
        """What differs between two snapshots.

        When an interrupt comes is chance, so its frame may differ, but holds only what the main
        loop and its sleep have in registers. So may one more: that of an interrupt which came while
        the dead stack was wiped, below it.
        """
        frame = range(one.stack_pointer - FRAME_BYTES, one.stack_pointer)
        stack = [a for a in one.differing(two) if self.name(a) == "stack" and a not in frame]
        passed = set(stack) if self._is_frame(one, two, stack) else set()
        found = {
            self.name(address)
            for address in one.differing(two)
            if address not in frame and address not in passed
        }
        if one.registers != two.registers:
            found.add("registers")
        for words in zip(one.interrupted(), two.interrupted(), strict=True):
            if words[0] != words[1] and not all(map(self._is_plain, words)):
                found.add("interrupt frame: {:#x}, {:#x}".format(*words))
        return found

    def _is_frame(self, one: Snapshot, two: Snapshot, addresses: Sequence[int]) -> bool:
        """Whether these bytes are in one frame and what its handler pushed, and all words that
        differ are plain."""
        if not addresses or addresses[-1] - addresses[0] >= FRAME_BYTES + HANDLER_BYTES:
            return False
        start, stack = next(iter(one.areas.items()))
        words = {(address - start) & ~3 for address in addresses}
        return all(
            self._is_plain(word) or word in NEVER_USED_OR_RETURN
            for data in (stack, two.areas[start])
            for at in words
            for word in struct.unpack_from("<I", data, at)
        )

    def _is_plain(self, word: int) -> bool:
        """Whether a word of the frame is an address, a count of bytes, or the core's flags."""
        is_address = any(region.address <= word < region.end for region in self._addresses)
        is_address |= word in PERIPHERALS
        return is_address or word < COUNTED_BYTES or word & 0x01F000FF == 0x01000000


def take(emulator: Emulator, places: Places) -> Snapshot:
    """What the idle core holds."""
    with DebugStub(debug_port(emulator)) as stub:
        registers = bytes.fromhex(stub.exchange("g"))
    pointer = int.from_bytes(registers[4 * GENERAL_REGISTERS :][:4], "little")
    areas = {start: read_memory(emulator, start, size) for start, size in places.areas}
    return Snapshot(registers[: 4 * GENERAL_REGISTERS], pointer, areas)


def let_idle(emulators: Sequence[Emulator], places: Places) -> None:
    """Send bytes that the serial line skips, until both cores have received as many and sleep.

    The frame of the last interrupt is on the stack, with whatever it interrupted, and the numbers
    of bytes received and read are in registers.
    """
    counts = [_received(emulator, places) for emulator in emulators]
    for emulator, count in zip(emulators, counts, strict=True):
        with serial.Serial(emulator.serial_path(), 115200) as line:
            for expected in range(count + 1, max(counts) + 3):
                line.write(b"\r")
                end = time.monotonic() + ARRIVAL_S
                while _received(emulator, places) != expected:
                    assert time.monotonic() < end, "the byte does not arrive"
                    time.sleep(SETTLE_S)


def _received(emulator: Emulator, places: Places) -> int:
    """Bytes that the serial line has brought since start."""
    return int.from_bytes(read_memory(emulator, places.received, 4), "little")


def _lay_out(
    variable: str, names: Sequence[str], folder: Path, model: Path
) -> dict[str, tuple[int, int]]:
    """Offset and size of members, from the sizes of arrays."""
    kind = {"device": "rbnn_device", "serial": "rbnn_link"}[variable]
    source, made = folder / "members.c", folder / "members.o"
    lines = ["#include <stddef.h>", '#include "link/link.h"']
    for number, name in enumerate(names):
        lines += [
            f"char offset{number}[offsetof({kind}, {name}) + 1];",
            f"char size{number}[sizeof (({kind} *)0)->{name}];",
        ]
    source.write_text("\n".join(lines) + "\n")
    subprocess.run(
        ["arm-none-eabi-gcc", "-std=c11", "-mcpu=cortex-m4", "-mthumb", f"-I{firmware_folder()}",
         f"-I{model}", "-c", str(source), "-o", str(made)], check=True,
    )  # fmt: skip
    with made.open("rb") as image:
        symbols = ELFFile(image).get_section_by_name(".symtab")

        def size(name: str) -> int:
            return int(symbols.get_symbol_by_name(name)[0]["st_size"])

        return {
            name: (size(f"offset{number}") - 1, size(f"size{number}"))
            for number, name in enumerate(names)
        }
