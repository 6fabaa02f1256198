"""Functions of a board's image on an emulated core that notes each block and each access."""

from __future__ import annotations

import ctypes
import re
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import unicorn
from elftools.elf.elffile import ELFFile
from unicorn import arm_const
from unicorn.unicorn_py3.unicorn import uclib

from rbnn.engine.compile import compile_native
from rbnn.image.platformio import BuildResult

CHECKPOINTS = 65536
EXECUTED_BYTES = 1 << 20
RETURN = 0x0FF00000
"""An address outside the board's memories; the emulation stops there."""
PUBLIC = "rbnn_crc32_update"
"""Its table is read at addresses that depend on bytes of flash, which are public."""
_DIVISION = re.compile(r"^\s*([0-9a-f]+):\t[su]div\t", re.MULTILINE)


class _Trace(ctypes.Structure):
    """``trace`` of trace_hooks.c."""

    _fields_ = [
        ("blocks", ctypes.c_uint64),
        ("accesses", ctypes.c_uint64),
        ("path", ctypes.c_uint64),
        ("addresses", ctypes.c_uint64),
        ("flash", ctypes.c_uint32),
        ("stack", ctypes.c_uint32),
        ("public_start", ctypes.c_uint32),
        ("public_end", ctypes.c_uint32),
        ("is_public", ctypes.c_uint32),
        ("lowest", ctypes.c_uint32),
        ("at", ctypes.c_uint32 * CHECKPOINTS),
        ("seen", ctypes.c_uint64 * CHECKPOINTS),
        ("executed", ctypes.c_uint8 * (EXECUTED_BYTES // 2)),
    ]


@dataclass(frozen=True)
class Trace:
    """One call; ``stack`` are the bytes that it takes below its caller."""

    status: int
    stack: int
    blocks: int
    accesses: int
    path: int
    addresses: int
    checkpoints: tuple[tuple[int, int], ...]
    executed: frozenset[int]


@cache
def _hooks() -> ctypes.CDLL:
    source = Path(__file__).with_name("trace_hooks.c")
    return ctypes.CDLL(str(compile_native("trace_hooks.so", [source], ["-O2", "-shared", "-fPIC"])))


class TracedFirmware:
    """A board after start-up, its memories as the image and the linker script say."""

    def __init__(self, build: BuildResult) -> None:
        self._build = build
        board = build.board
        self._core = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB | unicorn.UC_MODE_MCLASS)
        self._core.ctl_set_cpu_model(arm_const.UC_CPU_ARM_CORTEX_M4)
        flash = max(board.image.end, board.provisioning.end) - board.image.address
        ram = board.noinit.end - board.ram.address
        self._core.mem_map(board.image.address, flash)
        self._core.mem_map(board.ram.address, -(-ram // 4096) * 4096)
        self._core.mem_map(RETURN & ~0xFFF, 4096)
        self.symbols: dict[str, tuple[int, int]] = {}
        with build.elf.open("rb") as stream:
            image = ELFFile(stream)
            for segment in image.iter_segments("PT_LOAD"):
                for address in {segment["p_paddr"], segment["p_vaddr"]} if segment.data() else ():
                    self._core.mem_write(address, segment.data())
            for symbol in image.get_section_by_name(".symtab").iter_symbols():
                if symbol["st_info"]["type"] in ("STT_OBJECT", "STT_FUNC"):
                    self.symbols[symbol.name] = symbol["st_value"] & ~1, symbol["st_size"]
            names = image.get_section_by_name(".symtab")
            self._stack_top = names.get_symbol_by_name("rbnn_stack_top")[0]["st_value"]

    def address(self, name: str) -> int:
        """Of a function or variable."""
        return self.symbols[name][0]

    def write(self, address: int, data: bytes) -> None:
        """Set memory."""
        self._core.mem_write(address, data)

    def read(self, address: int, size: int) -> bytes:
        """Memory."""
        return bytes(self._core.mem_read(address, size))

    def call(self, name: str, *arguments: int, reads: bool = True) -> Trace:
        """Call a function: the first four arguments are in registers, the others on the stack.

        Args:
            name: of the function.
            arguments: its arguments.
            reads: whether addresses that are read are noted, too. Unicorn 2.1.4 then computes
                wrongly where a load is in an IT block; callers look at the result.
        """
        registers = [getattr(arm_const, f"UC_ARM_REG_R{number}") for number in range(4)]
        for register, value in zip(registers, arguments[:4], strict=False):
            self._core.reg_write(register, value)
        stacked = b"".join(value.to_bytes(4, "little") for value in arguments[4:])
        pointer = (self._stack_top - 64 - len(stacked)) & ~7
        self._core.mem_write(pointer, stacked)
        self._core.reg_write(arm_const.UC_ARM_REG_SP, pointer)
        self._core.reg_write(arm_const.UC_ARM_REG_LR, RETURN | 1)
        board = self._build.board
        state = _Trace(flash=board.image.address, stack=board.ram.address, lowest=pointer)
        start, size = self.symbols[PUBLIC]
        state.public_start, state.public_end = start, start + size
        handles = [
            self._hook(unicorn.UC_HOOK_BLOCK, _hooks().trace_block, state),
            self._hook(
                unicorn.UC_HOOK_MEM_WRITE | (unicorn.UC_HOOK_MEM_READ if reads else 0),
                _hooks().trace_access,
                state,
            ),
        ]
        try:
            self._core.emu_start(self.address(name) | 1, RETURN)
        finally:
            for handle in handles:
                uclib.uc_hook_del(self._core._uch, handle)
        result = self._core.reg_read(arm_const.UC_ARM_REG_R0)
        count = min(-(-state.blocks // 1024), CHECKPOINTS)
        executed = bytes(state.executed)
        return Trace(
            result - (1 << 32) if result >> 31 else result,
            pointer - state.lowest,
            state.blocks,
            state.accesses,
            state.path,
            state.addresses,
            tuple(zip(state.at[:count], state.seen[:count], strict=True)),
            frozenset(at for at in range(len(executed)) if executed[at]),
        )

    def divisions(self, trace: Trace) -> list[str]:
        """Functions whose divisions were executed: their time depends on the operands."""
        listing = subprocess.run(
            ["arm-none-eabi-objdump", "-d", "--no-show-raw-insn", str(self._build.elf)],
            check=True, capture_output=True, text=True,
        ).stdout  # fmt: skip
        flash = self._build.board.flash.address
        places = (int(found, 16) for found in _DIVISION.findall(listing))
        return [self.function(place) for place in places if (place - flash) // 2 in trace.executed]

    def function(self, place: int) -> str:
        """The function at an address."""
        for name, (start, size) in self.symbols.items():
            if start <= place < start + size:
                return name
        return hex(place)

    def parting(self, one: Trace, two: Trace) -> str:
        """Near which functions two traces part."""
        for before, (here, there) in enumerate(zip(one.checkpoints, two.checkpoints, strict=False)):
            if here[1] != there[1]:
                since = one.checkpoints[max(0, before - 1)][0]
                return f"{self.function(since)} .. {self.function(here[0])}"
        return "in the last blocks"

    def _hook(self, kind: int, function: object, state: _Trace) -> ctypes.c_size_t:
        handle = ctypes.c_size_t()
        error = uclib.uc_hook_add(
            self._core._uch,
            ctypes.byref(handle),
            kind,
            ctypes.cast(function, ctypes.c_void_p),  # type: ignore[arg-type]
            ctypes.cast(ctypes.byref(state), ctypes.c_void_p),
            ctypes.c_uint64(1),  # from 1 to 0: everywhere
            ctypes.c_uint64(0),
        )
        assert error == 0
        return handle
