"""The board that runs the bench application: a real one, or emulated during the measurement."""

from __future__ import annotations

import contextlib
import re
import select
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from rbnn.device.errors import EmulatorError, LinkError
from rbnn.device.line import SerialLine
from rbnn.device.real_target import RealTarget
from rbnn.image import platformio
from rbnn.image.board import Board
from rbnn.image.platformio import BuildResult
from rbnn.image.toolchain import require

PROGRAM = "qemu-system-arm"
ICOUNT_SHIFT = 10
"""An instruction takes 1,024 ns of the emulated clock: 25.6 ticks of 40 ns, so that none is lost
when the difference of two counter values is rounded."""
START_TIMEOUT_S = 20.0
STOP_TIMEOUT_S = 5.0
_PTY = re.compile(rb"char device redirected to (\S+)")


def bench_board(board: Board) -> Board:
    """The PlatformIO environment of a board's bench application."""
    return board.model_copy(update={"name": f"{board.name}-bench"})


def check(board: Board, port: str | None) -> None:
    """Fail early, before anything is built, if there is no such board.

    Raises:
        RbnnError: the emulator is not installed, or the port or OpenOCD is missing.
    """
    if board.is_emulated_only:
        require(PROGRAM)
    else:
        RealTarget(board, port, _ignore).check()


@contextlib.contextmanager
def running(
    board: Board, build: BuildResult, model: Path, port: str | None = None
) -> Iterator[SerialLine]:
    """Run a bench application and yield its serial line. An emulator ends with the block.

    Args:
        board: its manifest.
        build: of :func:`bench_board`.
        model: the folder that it was built from.
        port: serial port of a real board; None to find it by its USB ids.

    Raises:
        RbnnError: no board, no emulator, or it does not answer.
    """
    if board.is_emulated_only:
        with _emulator(board, build) as path:
            yield from _line(board, path)
        return
    target = RealTarget(board, port, _ignore)
    platformio.upload(build.board, model, target.probe())
    yield from _line(board, target.serial_path())


def _ignore(line: str) -> None:
    """Measuring asks the user for nothing."""


def _line(board: Board, path: str) -> Iterator[SerialLine]:
    with SerialLine(path) as line:
        name = line.synchronise(START_TIMEOUT_S)
        if name != board.name:
            raise LinkError(
                f"{path} answers as {name!r}, not as {board.name!r}.",
                "Name that board's port: --port PORT",
            )
        yield line


@contextlib.contextmanager
def _emulator(board: Board, build: BuildResult) -> Iterator[str]:
    """QEMU with the application; yields the pseudo terminal of its serial line."""
    assert board.emulator is not None
    serial = ["-serial", "null"] * board.emulator.serial_index + ["-serial", "chardev:line"]
    command = [
        *(str(require(PROGRAM)), "-machine", board.emulator.machine),
        *("-display", "none", "-monitor", "none", "-nodefaults"),
        *("-chardev", "pty,id=line", *serial),
        *("-icount", f"shift={ICOUNT_SHIFT},sleep=off", "-kernel", str(build.elf)),
    ]
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        try:
            yield _terminal(process)
        finally:
            process.terminate()
            try:
                process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()


def _terminal(process: subprocess.Popen[bytes]) -> str:
    """The path that QEMU prints when it starts."""
    assert process.stdout is not None
    said = b""
    end = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < end:
        if select.select([process.stdout], [], [], 0.1)[0]:
            more = process.stdout.read1()  # type: ignore[attr-defined]
            said += more
            if found := _PTY.search(said):
                return found[1].decode()
            if not more:
                break
    reason = said.decode(errors="replace").strip().partition("\n")[0] or "no reason given"
    raise EmulatorError(
        f"QEMU does not start: {reason.removeprefix(PROGRAM + ': ')}.",
        "Check the emulator section of the board's manifest against qemu-system-arm -machine help.",
    )
