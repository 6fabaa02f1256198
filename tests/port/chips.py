"""A port of a chip family over a fake chip, and what it does there, by names of registers."""

from __future__ import annotations

import ast
import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rbnn.engine.compile import FIRMWARE, SANITIZERS, compile_native
from rbnn.spec.link import Protection

HERE = Path(__file__).parent
FAKES = HERE / "registers"
"""Its armv7m.h comes before the port's own."""
REGISTER = re.compile(r"#define (\w+) RBNN_REGISTER\((0x[0-9A-F]+)u\)")
CONSTANT = re.compile(r"#define (\w+) (.+?)(?: */\*.*)?$", re.M)


@dataclass(frozen=True)
class Start:
    """What a start of the port left behind; registers by name."""

    tick_hz: int
    interrupt: int
    warm: bool
    protection: Protection
    written: tuple[tuple[str, int], ...]
    """Every change of a register, in order."""
    registers: dict[str, int]

    def bits(self, register: str, first: int, count: int = 1) -> int:
        """A field of a register."""
        return self.registers[register] >> first & (1 << count) - 1

    def position(self, register: str, mask: int, value: int) -> int:
        """When a field first had this value."""
        return next(
            at
            for at, (name, held) in enumerate(self.written)
            if name == register and held & mask == value
        )


class Family:
    """A chip family: the port's sources, and what the vendor's header says of its registers.

    Args:
        name: of its folder in firmware/port, and of its table here.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.folder = FIRMWARE / "port" / name
        self.vendor: dict[str, Any] = json.loads((HERE / f"{name}.json").read_text())
        self.registers: dict[str, int] = {
            register: int(address, 16) for register, address in self.vendor["registers"].items()
        }
        self.names = {address: register for register, address in self.registers.items()}

    def start(self, rules: list[str], **held: int) -> Start:
        """Start the port on a chip whose registers hold these values."""
        sources = [HERE / "chip_driver.c"]
        sources += [path for path in sorted(self.folder.glob("*.c")) if path.stem != "flash"]
        program = compile_native(self.name, sources, [*SANITIZERS, f"-I{FAKES}"])
        arguments = list(rules)
        for name, value in held.items():
            arguments += ["set", f"{self.registers[name]:x}", f"{value:x}"]
        done = subprocess.run(
            [str(program), *arguments], capture_output=True, text=True, check=True
        )
        said: dict[str, str] = {}
        written: list[tuple[str, int]] = []
        registers: dict[str, int] = {}
        for words in map(str.split, done.stdout.splitlines()):
            if words[0] == "write":
                written.append((self.names[int(words[1], 16)], int(words[2])))
            elif words[0] == "end":
                registers[self.names[int(words[1], 16)]] = int(words[2])
            else:
                said[words[0]] = words[1]
        return Start(
            int(said["tick_hz"]),
            int(said["interrupt"]),
            said["warm"] == "1",
            Protection(said["protection"]),
            tuple(written),
            registers,
        )

    def rule(self, kind: str, register: str, first: int, second: int) -> list[str]:
        """A rule of chip_driver.c."""
        return [kind, f"{self.registers[register]:x}", f"{first:x}", f"{second:x}"]

    def defined(self) -> tuple[dict[str, int], dict[str, int]]:
        """What the port's sources call registers, and their constants, as numbers."""
        registers: dict[str, int] = {}
        constants: dict[str, int] = {}
        for path in sorted(self.folder.glob("*.[ch]")):
            text = path.read_text()
            registers |= {name: int(address, 16) for name, address in REGISTER.findall(text)}
            for name, value in CONSTANT.findall(text):
                try:
                    constants[name] = evaluate(value, constants)
                except (SyntaxError, ValueError, KeyError):
                    continue
        return registers, constants


def evaluate(text: str, known: dict[str, int]) -> int:
    """The value of a constant of C: numbers, names and the operators of masks."""
    tree = ast.parse(re.sub(r"\b(0x[0-9A-Fa-f]+|\d+)[uU]\b", r"\1", text), mode="eval")

    def value(node: ast.expr) -> int:
        match node:
            case ast.Constant(value=int(number)):
                return number
            case ast.Name(id=name):
                return known[name]
            case ast.BinOp(left=left, op=ast.LShift(), right=right):
                return value(left) << value(right) & 0xFFFFFFFF
            case ast.BinOp(left=left, op=ast.BitOr(), right=right):
                return value(left) | value(right)
        raise ValueError(text)

    return value(tree.body)
