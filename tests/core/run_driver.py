"""The Python side of ``run_driver.c``: one kernel per request, here under sanitizers or on an
emulated Cortex-M.
"""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from check_programs import build_bare

from rbnn.engine.compile import FIRMWARE, SANITIZERS, compile_native, room_sources
from rbnn.spec.layout import LAYER

HERE = Path(__file__).parent
ICOUNT_SHIFT = 6
"""One emulated instruction takes 2^6 ns."""
TICK_NS = 40


@dataclass(frozen=True)
class Request:
    """A kernel's run: the layer's members by name, the buffers as bytes; outputs by size.

    The kernel is that of the member ``op``; a layer without it runs the stage by itself.
    """

    layer: dict[str, int]
    data: bytes = b""
    weights: bytes = b""
    params: bytes = b""
    shortcut: bytes = b""
    in_place: bool = False
    bits_bytes: int = 0
    stream_bytes: int = 0
    logits_bytes: int = 0
    channels: int = 0
    step: int = 0
    spare: int = 0
    offsets: tuple[int, ...] = field(default=())

    def pack(self, plain: bool) -> bytes:
        """The request as bytes for the driver."""
        members = {member.name: 0 for member in LAYER.fields}
        record = LAYER.pack(members | {"weights_bytes": len(self.weights)} | self.layer)
        offsets = [*self.offsets, 0, 0, 0, 0][:4]
        arguments = struct.pack(
            "<5I4h",
            plain,
            self.in_place,
            self.channels,
            self.step,
            self.spare,
            *offsets,
        )
        stream = self.shortcut if self.in_place else b"\x5a" * self.stream_bytes
        sections = (
            arguments + record, self.data, self.weights, self.params,
            b"" if self.in_place else self.shortcut,
            b"\x5a" * self.bits_bytes, stream, b"\x5a" * self.logits_bytes,
        )  # fmt: skip
        return struct.pack("<8I", *map(len, sections)) + b"".join(sections)

    @property
    def answer_bytes(self) -> int:
        """Size of its outputs."""
        return self.bits_bytes + self.stream_bytes + self.logits_bytes


class RunDriver:
    """A sanitized process that serves requests; it dies with a report on any fault."""

    def __init__(self, program: Path) -> None:
        self._process = subprocess.Popen(
            [program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    def close(self) -> None:
        """End the process; a leak or a late fault fails here."""
        _, errors = self._process.communicate(timeout=30)
        assert self._process.returncode == 0, errors.decode()

    def call(self, request: Request, plain: bool = False) -> bytes:
        """Outputs of the fast or the plain kernel: bits, stream, logits."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(request.pack(plain))
        self._process.stdin.flush()
        answer = self._process.stdout.read(request.answer_bytes + 8)
        if len(answer) != request.answer_bytes + 8:
            raise AssertionError(self._process.communicate()[1].decode())
        return answer[:-8]

    def check(self, request: Request, expected: bytes) -> None:
        """Compare both kernels with what numpy computed."""
        assert self.call(request, plain=True) == expected
        assert self.call(request) == expected


def sources() -> list[Path]:
    """The driver, the core and the plain kernels."""
    plain = sorted((HERE / "reference").glob("*.c"))
    return [HERE / "drivers" / "run_driver.c", *room_sources("core"), *plain]


def build_native() -> Path:
    """The driver for this machine, under AddressSanitizer and UBSan."""
    return compile_native("run_driver", sources(), ("-O1", *SANITIZERS))


def build_driver(cpu: str) -> Path:
    """The driver for a bare Cortex-M."""
    return build_bare(
        f"run_driver_{cpu}.elf",
        cpu,
        [*sources(), *sorted(FIRMWARE.glob("core/**/*.S"))],
        ["-Werror", "--specs=rdimon.specs"],
        HERE / "drivers" / "run_driver.ld",
    )


MACHINES = {"cortex-m3": "mps2-an385", "cortex-m4": "mps2-an386", "cortex-m7": "mps2-an500"}


def run_bare(
    program: Path, cpu: str, requests: Sequence[tuple[Request, bool]], folder: Path
) -> list[tuple[bytes, int]]:
    """Outputs and instructions of each request; with True, of the plain kernel."""
    folder.joinpath("requests.bin").write_bytes(b"".join(r.pack(plain) for r, plain in requests))
    subprocess.run(
        ["qemu-system-arm", "-M", MACHINES[cpu], "-nographic", "-monitor", "none", "-serial",
         "none", "-icount", f"shift={ICOUNT_SHIFT}", "-semihosting-config",
         "enable=on,target=native", "-kernel", str(program)],
        check=True, cwd=folder, timeout=300, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    answers = folder.joinpath("answers.bin").read_bytes()
    results = []
    for request, _ in requests:
        size = request.answer_bytes
        (ticks,) = struct.unpack_from("<Q", answers, size)
        results.append((answers[:size], ticks * TICK_NS // 2**ICOUNT_SHIFT))
        answers = answers[size + 8 :]
    assert not answers
    return results
