"""QEMU as the chip of an emulated board.

The process outlives the command that starts it, as a real board stays on; ``state.json`` in the
board's folder says how to reach it. At every power-on, the RAM that start-up does not write is
filled: the fingerprint's region with the fingerprint and fresh bit errors, the warm-reset marker
with random bytes. A warm reset leaves RAM as it is.

``-icount`` makes the emulated clock count instructions: each takes ``2^icount_shift`` ns.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from rbnn.device.emulated.debug_stub import DebugStub
from rbnn.device.emulated.qmp import Monitor
from rbnn.device.errors import EmulatorError
from rbnn.files import make_private_folder, write_atomic
from rbnn.flash.emulated import EmulatedBoard
from rbnn.flash.errors import FlashError
from rbnn.frozen import Frozen
from rbnn.image.board import Board, Emulation
from rbnn.image.defaults import DEFAULT_BOARD
from rbnn.image.toolchain import require

PROGRAM = "qemu-system-arm"
STOP_TIMEOUT_S = 5.0
SETTLE_S = 0.05
"""QEMU exits when the core locks up; that happens within this time."""
_SOCKET_PATH_BYTES = 100
"""A Unix socket's path may have 107 bytes; the rest is for the file's name."""


class _State(Frozen):
    """``state.json``: a running emulator."""

    pid: int
    sockets: Path
    serial: str


class Emulator:
    """The power switch, reset button and serial connector of an emulated board.

    Args:
        folder: the board's folder (:class:`rbnn.flash.emulated.EmulatedBoard`).
        board: its manifest.

    Raises:
        EmulatorError: the manifest names no QEMU machine.
    """

    def __init__(self, folder: Path, board: Board) -> None:
        if board.emulator is None:
            raise EmulatorError(
                f"Board {board.name} cannot be emulated: its manifest names no QEMU machine.",
                f"Choose another board, such as --board {DEFAULT_BOARD}.",
            )
        self.board = board
        self.emulation: Emulation = board.emulator
        self.device = EmulatedBoard(folder.resolve())

    def is_on(self) -> bool:
        """Whether it is running."""
        return self._state() is not None

    def serial_path(self) -> str:
        """The pty of its serial line; a new one after every power-on.

        Raises:
            EmulatorError: it is off.
        """
        return self._running().serial

    def power_on(self) -> None:
        """Switch it on; nothing happens if it is on already.

        Raises:
            ToolError: QEMU is not installed.
            FlashError: there is no such board, or its files are damaged.
            EmulatorError: it has no firmware, or QEMU does not start.
        """
        if self.is_on():
            return
        self.device.settings(self.board.name)
        if not self.device.has_firmware:
            raise EmulatorError(
                f"The emulated board in {self.device.folder} has no firmware.",
                f"Write it: rbnn flash --board {self.board.name} --user-key PATH",
            )
        require(PROGRAM)
        with self._power_switch():
            if not self.is_on():
                self._power_on()

    def _power_on(self) -> None:
        """Start QEMU and fill its RAM; called by one process at a time."""
        pattern = self.device.power_up_pattern()
        rest = self.board.noinit.bytes - len(pattern)
        if size := self.emulation.file_ram_bytes:
            self.device.make_store(self.board.store.bytes, size)
        sockets = self._socket_folder()
        try:
            pid = self._start(sockets)
            with Monitor(sockets / "qmp") as monitor:
                lines = monitor.execute("query-chardev")
                serial = next(line["filename"] for line in lines if line["label"] == "line")
                serial = serial.removeprefix("pty:")
                # QEMU looks only once a second whether somebody has opened a pseudo terminal. It
                # holds the other end open itself, so that no command waits for that.
                held = {"type": "serial", "data": {"device": serial}}
                monitor.execute("chardev-add", id="held", backend=held)
            with DebugStub(sockets / "gdb") as stub:
                stub.write(self.board.noinit.address, pattern + secrets.token_bytes(rest))
            time.sleep(SETTLE_S)
            if not _is_emulator(pid, sockets):
                raise EmulatorError(
                    f"The firmware in {self.device.flash_file} stops the core immediately.",
                    f"Write it again: rbnn flash --board {self.board.name} --user-key PATH",
                )
            state = _State(pid=pid, sockets=sockets, serial=serial)
            write_atomic(self.device.state_file, state.model_dump_json(indent=2) + "\n")
        except BaseException:  # even a full disk or Ctrl-C must not leave an unreachable emulator
            self._kill(sockets)
            raise

    def power_off(self) -> None:
        """Switch it off; nothing happens if it is off already."""
        if not self.device.exists:
            return
        with self._power_switch():
            self._power_off()

    def _power_off(self) -> None:
        state = self._state()
        if state is not None:
            with contextlib.suppress(EmulatorError), Monitor(state.sockets / "qmp") as monitor:
                monitor.execute("quit")
            end = time.monotonic() + STOP_TIMEOUT_S
            while time.monotonic() < end and _is_emulator(state.pid, state.sockets):
                time.sleep(0.01)
            self._kill(state.sockets)
        self.device.state_file.unlink(missing_ok=True)

    def power_cycle(self) -> None:
        """Switch it off and on: RAM holds the fingerprint again."""
        self.power_off()
        self.power_on()

    def warm_reset(self) -> None:
        """Press its reset button: RAM keeps its contents.

        Raises:
            EmulatorError: it is off, or QEMU does not answer.
        """
        with Monitor(self._running().sockets / "qmp") as monitor:
            monitor.execute("system_reset")

    def instructions(self, ticks: int) -> int:
        """Instructions that the emulated core ran in ``ticks`` of the firmware's counter.

        The counter's resolution is ``10^9 / tick_hz / 2^icount_shift`` instructions.
        """
        return instructions(self.emulation, ticks)

    def command(self, sockets: Path) -> list[str]:
        """QEMU's command line, with its sockets in folder ``sockets``."""
        serial = ["-serial", "null"] * self.emulation.serial_index + ["-serial", "chardev:line"]
        machine, ram = self.emulation.machine, []
        if size := self.emulation.file_ram_bytes:  # what is written is in the file at once
            machine += ",memory-backend=store"
            file = f"mem-path={_escape(self.device.store_file)},share=on"
            ram = ["-object", f"memory-backend-file,id=store,size={size},{file}"]
        loaded = [(self.board.provisioning, self.device.provisioning_file)]
        if self.board.model is not None and self.model_place() is None:
            loaded.append((self.board.model, self.device.model_file))
        loaders = [
            f"loader,force-raw=on,addr={region.address:#x},file={_escape(file)}"
            for region, file in loaded
            if file.is_file()
        ]
        return [
            str(require(PROGRAM)),
            *("-machine", machine, "-display", "none", "-monitor", "none", *ram),
            *("-nodefaults", "-chardev", "pty,id=line", *serial),
            *("-icount", f"shift={self.emulation.icount_shift},sleep=on"),
            *("-kernel", str(self.device.flash_file)),
            *(word for loader in loaders for word in ("-device", loader)),
            *("-qmp", f"unix:{_escape(sockets / 'qmp')},server=on,wait=off"),
            *("-gdb", f"unix:{_escape(sockets / 'gdb')},server=on,wait=off"),
            *("-S", "-daemonize", "-pidfile", str(sockets / "pid")),
        ]

    def model_place(self) -> int | None:
        """Where the partition of the model begins in the file of the store; None if it is not
        there: it then has a file of its own, which the firmware cannot write."""
        model = self.board.model
        place = -1 if model is None else model.address - self.board.store.address
        return place if 0 <= place < self.emulation.file_ram_bytes else None

    def write_model(self, model: bytes) -> None:
        """Replace the partition of the model of a board that is off.

        Raises:
            FlashError: the board has none, or it is too small.
        """
        partition = self.board.model
        if partition is None:
            raise FlashError(
                f"Board {self.board.name} has no partition for a model.",
                "Add rbnn.model to its manifest: docs/model-update.md",
            )
        place = self.model_place()
        if place is not None:
            self.device.make_store(self.board.store.bytes, self.emulation.file_ram_bytes)
        self.device.write_model(model, partition.bytes, place)

    def _start(self, sockets: Path) -> int:
        """Start QEMU with its processor stopped. Returns its process id."""
        command = self.command(sockets)
        with tempfile.TemporaryFile() as said:
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, check=False
            )
            said.seek(0)
            text = said.read().decode(errors="replace").strip()
        if done.returncode:
            reason = text.partition("\n")[0].removeprefix(f"{PROGRAM}: ") or "no reason given"
            raise EmulatorError(
                f"QEMU does not start: {reason}.",
                "Compare the emulator section of the board's manifest with qemu-system-arm -help.",
            )
        return int((sockets / "pid").read_text())

    @contextlib.contextmanager
    def _power_switch(self) -> Iterator[None]:
        """Only one process at a time switches this board on or off; others wait."""
        path = self.device.folder / "power.lock"
        try:
            lock = path.open("w")
        except OSError as error:
            raise EmulatorError(
                f"Cannot write {path}: {error.strerror}.", "Use a folder that you can write to."
            ) from error
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _socket_folder(self) -> Path:
        """A separate folder whose path is short enough for Unix sockets.

        An emulator that still runs there although its ``state.json`` is lost is ended.
        """
        folder = self.device.folder / "qemu"
        if len(os.fsencode(folder)) > _SOCKET_PATH_BYTES - len("/qmp"):
            folder = Path(tempfile.mkdtemp(prefix="rbnn-"))
        self._kill(folder)
        make_private_folder(folder)
        return folder

    def _state(self) -> _State | None:
        """The contents of ``state.json`` if that emulator still runs."""
        try:
            state = _State.model_validate_json(self.device.state_file.read_bytes())
        except (OSError, ValidationError):
            return None
        return state if _is_emulator(state.pid, state.sockets) else None

    def _running(self) -> _State:
        state = self._state()
        if state is None:
            raise EmulatorError(
                f"The emulated board in {self.device.folder} is off.",
                f"Switch it on: rbnn board on --board {self.board.name}",
            )
        return state

    def _kill(self, sockets: Path) -> None:
        """Kill an emulator that has not ended, and remove its sockets."""
        with contextlib.suppress(OSError, ValueError):
            pid = int((sockets / "pid").read_text())
            if _is_emulator(pid, sockets):
                os.kill(pid, signal.SIGKILL)
        for name in ("qmp", "gdb", "pid"):
            (sockets / name).unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            sockets.rmdir()


def instructions(emulation: Emulation, ticks: int) -> int:
    """Instructions in ``ticks`` of the firmware's counter under ``emulation``."""
    return ticks * 1_000_000_000 // (emulation.tick_hz << emulation.icount_shift)


def _escape(path: Path) -> str:
    """``path`` as a value in one of QEMU's option lists."""
    return str(path).replace(",", ",,")


def _is_emulator(pid: int, sockets: Path) -> bool:
    """Whether ``pid`` is the QEMU with these sockets, not a later process with the same number."""
    try:
        arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return os.fsencode(sockets / "pid") in arguments
