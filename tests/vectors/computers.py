"""The vectors application on this machine (under sanitizers) and on an emulated Cortex-M4."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from rbnn.engine.compile import FIRMWARE, MONOCYPHER, SANITIZERS, compile_native, room_sources
from rbnn.image.board import load_board
from rbnn.image.platformio import build

HERE = Path(__file__).parent
READY = "m-ready"


class Refusal(Exception):
    """An ``e-[name: text]`` answer; its argument is the name."""


class Computer:
    """One running vectors application: a command in, its results out, in lock step."""

    def __init__(self, command: list[str]) -> None:
        self.is_emulated = command[0].startswith("qemu")
        self.name = "Cortex-M4 under QEMU" if self.is_emulated else "host C"
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        self._until_ready()

    def _until_ready(self) -> list[str]:
        assert self.process.stdout is not None
        lines: list[str] = []
        while True:
            line = self.process.stdout.readline().decode()
            if not line:
                assert self.process.stderr is not None
                raise AssertionError(f"it ended: {self.process.stderr.read().decode()}")
            if line.strip() == READY:
                return lines
            lines.append(line.strip())

    def send(self, text: str) -> list[str]:
        """The lines of the answer to a raw command, without its end."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{text}%".encode())
        self.process.stdin.flush()
        return self._until_ready()

    def ask(self, command: str, *words: bytes) -> list[bytes]:
        """Results of a command.

        Raises:
            Refusal: it answered with an error.
        """
        results = []
        for line in self.send(" ".join([command, *(word.hex() or "-" for word in words)])):
            if match := re.fullmatch(r"e-\[([a-z0-9-]+): .*\]", line):
                raise Refusal(match[1])
            found = re.fullmatch(r"m-\[([0-9a-f]*)\]", line)
            assert found, line
            results.append(bytes.fromhex(found[1]))
        return results

    def close(self) -> None:
        """End it; on this machine the sanitizers must have reported nothing."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        if self.is_emulated:
            self.process.terminate()
        self.process.wait(20)
        assert self.process.stderr is not None
        complaints = self.process.stderr.read().decode()
        self.process.stderr.close()
        assert self.process.stdout is not None
        self.process.stdout.close()
        assert "Sanitizer" not in complaints and "runtime error" not in complaints, complaints


def host_command() -> list[str]:
    """The host build under AddressSanitizer and UndefinedBehaviorSanitizer."""
    sources = [
        HERE / "host_port.c",
        FIRMWARE / "vectors" / "vectors.c",
        *room_sources("crypto", "puf"),
        FIRMWARE / "licence" / "noise.c",
        *(FIRMWARE / "link" / name for name in ("print.c", "words.c")),
        FIRMWARE / "core" / "divide.c",
        MONOCYPHER / "monocypher.c",
    ]
    # Sanitizers make GCC see conversions in Monocypher that plain builds do not have.
    flags = ["-O1", *SANITIZERS]
    return [str(compile_native("vectors", sources, flags))]


def qemu_command() -> list[str]:
    """The Cortex-M4 build, made by PlatformIO, on QEMU's mps2-an386."""
    board = load_board("qemu").model_copy(update={"name": "qemu-vectors"})
    image = build(board)
    return [
        *("qemu-system-arm", "-M", "mps2-an386", "-display", "none", "-monitor", "none"),
        *("-serial", "stdio", "-kernel", str(image.elf)),
    ]
