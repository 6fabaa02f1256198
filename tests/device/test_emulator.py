"""The emulated board's power switch: what it refuses, and that nothing half-started is left."""

from __future__ import annotations

import json
import os
import shutil
import socket
import threading
import time
from pathlib import Path

import pytest

from rbnn.device.emulated.debug_stub import DebugStub
from rbnn.device.emulated.emulator import Emulator, instructions
from rbnn.device.emulated.qmp import Monitor
from rbnn.device.errors import EmulatorError
from rbnn.errors import RbnnError
from rbnn.flash.emulated import EmulatedBoard
from rbnn.flash.errors import FlashError
from rbnn.image.board import load_board
from rbnn.image.errors import ToolError

BOARD = load_board("qemu")
needs_qemu = pytest.mark.skipif(
    shutil.which("qemu-system-arm") is None, reason="apt-get install qemu-system-arm"
)


# Stack pointer, reset vector 8 (Thumb), and there a branch to itself.
IDLE = bytes.fromhex("00100020 09000000 fee7 fee7")


def make(folder: Path, firmware: bytes | None = IDLE) -> Emulator:
    device = EmulatedBoard.create(folder, BOARD.name, seed=1)
    if firmware is not None:
        device.write_flash(firmware, BOARD.flash.bytes)
    return Emulator(folder, BOARD)


def test_a_board_without_a_machine_cannot_be_emulated(tmp_path: Path) -> None:
    with pytest.raises(EmulatorError, match="cannot be emulated"):
        Emulator(tmp_path, BOARD.model_copy(update={"emulator": None}))


def test_no_folder_no_power(tmp_path: Path) -> None:
    with pytest.raises(FlashError, match="no emulated board"):
        Emulator(tmp_path / "none", BOARD).power_on()
    assert not (tmp_path / "none").exists()


def test_another_boards_folder_is_refused(tmp_path: Path) -> None:
    EmulatedBoard.create(tmp_path, "nucleo", seed=1)
    with pytest.raises(FlashError, match="holds a board 'nucleo'"):
        Emulator(tmp_path, BOARD).power_on()


def test_missing_firmware_is_reported(tmp_path: Path) -> None:
    emulator = make(tmp_path, None)
    with pytest.raises(EmulatorError, match="has no firmware") as refusal:
        emulator.power_on()
    assert "rbnn flash" in refusal.value.fix


def test_missing_qemu_names_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    emulator = make(tmp_path)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ToolError, match="qemu-system-arm is not installed") as refusal:
        emulator.power_on()
    assert "apt-get install qemu-system-arm" in refusal.value.fix
    assert not emulator.is_on() and not (tmp_path / "qemu").exists()


@pytest.mark.qemu
@needs_qemu
def test_a_full_disk_leaves_no_emulator_running(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    emulator = make(tmp_path)
    started: list[int] = []

    def full(path: Path, data: str) -> None:
        started.append(int((tmp_path / "qemu" / "pid").read_text()))
        raise RbnnError("No space left on device.")

    monkeypatch.setattr("rbnn.device.emulated.emulator.write_atomic", full)
    with pytest.raises(RbnnError, match="No space"):
        emulator.power_on()
    arguments = Path(f"/proc/{started[0]}/cmdline")  # empty once the process is dying
    end = time.monotonic() + 5
    while (running := arguments.exists() and arguments.read_bytes()) and time.monotonic() < end:
        time.sleep(0.01)
    assert not running
    assert not (tmp_path / "qemu").exists()


@pytest.mark.qemu
@needs_qemu
def test_qemus_own_reason_is_shown_and_nothing_is_left(tmp_path: Path) -> None:
    machine = BOARD.emulator
    assert machine is not None
    board = BOARD.model_copy(
        update={"emulator": machine.model_copy(update={"machine": "no-such-machine"})}
    )
    make(tmp_path)
    emulator = Emulator(tmp_path, board)
    with pytest.raises(EmulatorError, match="QEMU does not start: unsupported machine"):
        emulator.power_on()
    assert not emulator.is_on() and not (tmp_path / "qemu").exists()


def test_a_debugger_port_that_closes_on_detach_is_no_error(tmp_path: Path) -> None:
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(tmp_path / "gdb"))
    server.listen()
    with DebugStub(tmp_path / "gdb"):
        server.accept()[0].close()
    stub = DebugStub(tmp_path / "gdb")
    server.accept()[0].close()
    with stub, pytest.raises(EmulatorError, match="debugger port"):  # but on a write it is one
        stub.write(0, bytes(4))
    server.close()


@pytest.mark.qemu
@needs_qemu
def test_firmware_that_stops_the_core_is_named(tmp_path: Path) -> None:
    emulator = make(tmp_path, bytes(64))
    with pytest.raises(EmulatorError, match=r"flash\.bin stops the core immediately"):
        emulator.power_on()
    assert not emulator.is_on() and not (tmp_path / "qemu").exists()


@pytest.mark.qemu
@needs_qemu
def test_a_killed_emulator_is_off_and_can_be_started_again(tmp_path: Path) -> None:
    emulator = make(tmp_path)
    emulator.power_on()
    pid = json.loads(emulator.device.state_file.read_text())["pid"]
    os.kill(pid, 9)
    while emulator.is_on():
        pass
    emulator.power_on()
    try:
        assert json.loads(emulator.device.state_file.read_text())["pid"] != pid
    finally:
        emulator.power_off()


@pytest.mark.parametrize("text", ["", "{", '{"pid": 1}', '{"pid": "x", "sockets": 1}'])
def test_damaged_state_reads_as_off(tmp_path: Path, text: str) -> None:
    emulator = make(tmp_path)
    emulator.device.state_file.write_text(text)
    assert not emulator.is_on()
    emulator.power_off()
    assert not emulator.device.state_file.exists()


def test_another_process_with_the_same_number_is_not_taken_for_the_emulator(tmp_path: Path) -> None:
    emulator = make(tmp_path)
    state = {"pid": os.getpid(), "sockets": str(tmp_path / "qemu"), "serial": "/dev/pts/0"}
    emulator.device.state_file.write_text(json.dumps(state))
    assert not emulator.is_on()
    emulator.power_off()  # must not end this very process
    with pytest.raises(EmulatorError, match="is off"):
        emulator.warm_reset()


def test_ticks_to_instructions() -> None:
    emulation = BOARD.emulator
    assert emulation is not None
    # 25 MHz ticks of 40 ns, instructions of 32 ns.
    assert instructions(emulation, 4) == 5
    assert instructions(emulation, 25_000_000) == 31_250_000


def test_silent_monitor_is_an_error_not_a_hang(tmp_path: Path) -> None:
    with pytest.raises(EmulatorError, match="monitor does not answer"):
        Monitor(tmp_path / "qmp")


def test_monitor_passes_refusals_on_and_skips_events(tmp_path: Path) -> None:
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(tmp_path / "qmp"))
    server.listen()

    def serve() -> None:
        peer, _ = server.accept()
        stream = peer.makefile("rw")
        answers = ['{"QMP": {}}', '{"return": {}}', '{"event": "STOP"}\n{"return": {"on": 1}}']
        for answer in [*answers, '{"error": {"desc": "never heard of it"}}']:
            if "QMP" not in answer:
                stream.readline()
            stream.write(answer + "\n")
            stream.flush()
        stream.close()
        peer.close()

    thread = threading.Thread(target=serve)
    thread.start()
    with Monitor(tmp_path / "qmp") as monitor:
        assert monitor.execute("query") == {"on": 1}
        with pytest.raises(EmulatorError, match="refused jump: never heard of it"):
            monitor.execute("jump", height=2)
    thread.join()
    server.close()


@pytest.mark.qemu
@needs_qemu
def test_simultaneous_power_ons_start_one_emulator(tmp_path: Path) -> None:
    emulator = make(tmp_path)
    threads = [threading.Thread(target=emulator.power_on) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    try:
        assert emulator.is_on()
        assert running_emulators(tmp_path) == [
            json.loads(emulator.device.state_file.read_text())["pid"]
        ]
    finally:
        emulator.power_off()
    assert running_emulators(tmp_path) == []


@pytest.mark.qemu
@needs_qemu
def test_an_emulator_whose_state_is_lost_is_replaced(tmp_path: Path) -> None:
    emulator = make(tmp_path)
    emulator.power_on()
    (lost,) = running_emulators(tmp_path)
    emulator.device.state_file.unlink()
    assert not emulator.is_on()
    emulator.power_on()
    try:
        deadline = time.monotonic() + 5
        while lost in running_emulators(tmp_path) and time.monotonic() < deadline:
            time.sleep(0.01)
        (found,) = running_emulators(tmp_path)
        assert found != lost
    finally:
        emulator.power_off()


def running_emulators(folder: Path) -> list[int]:
    """Process ids of every QEMU of the board in ``folder``."""
    mark = os.fsencode(folder / "qemu" / "pid")
    found = []
    for arguments in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if mark in arguments.read_bytes().split(b"\0"):
                found.append(int(arguments.parent.name))
        except OSError:  # it has just ended
            continue
    return found
