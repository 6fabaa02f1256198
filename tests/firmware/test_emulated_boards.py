"""The firmware of both boards under QEMU: power-up, fingerprint, warm reset, stack, inference."""

from __future__ import annotations

import binascii
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import serial
from emulated_device import PROVIDER, enroll_and_license, measured_stack, stack_row
from trust_rows import Trust

from rbnn.device.emulated.emulator import Emulator, instructions
from rbnn.device.errors import DeviceError, EmulatorError
from rbnn.device.session import Session
from rbnn.engine.reference import Reference
from rbnn.flash.emulated import EmulatedBoard
from rbnn.image import platformio
from rbnn.image.board import load_board
from rbnn.image.platformio import BuildResult
from rbnn.spec.link import COMMANDS, READY
from rbnn.spec.status import Status

pytestmark = [
    pytest.mark.qemu,
    pytest.mark.skipif(
        not (shutil.which("qemu-system-arm") and shutil.which("arm-none-eabi-gcc")),
        reason="apt-get install qemu-system-arm gcc-arm-none-eabi libnewlib-arm-none-eabi",
    ),
]


@pytest.fixture(scope="module")
def made(random_export: Callable[..., Any]) -> Any:
    """A random network, exported."""
    return random_export(provider_public=PROVIDER.public)


@pytest.fixture(scope="module", params=["qemu", "nucleo"])
def build(request: pytest.FixtureRequest, made: Any) -> BuildResult:
    """Its firmware for each board."""
    return platformio.build(load_board(request.param), made.export.folder, development=True)


@pytest.fixture
def emulator(build: BuildResult, tmp_path: Path) -> Iterator[Emulator]:
    """A new device of that board, its firmware written, its power on."""
    board = EmulatedBoard.create(tmp_path / "device", build.board.name, seed=5)
    board.write_flash(build.bin.read_bytes(), build.board.flash.bytes)
    emulator = Emulator(tmp_path / "device", build.board)
    emulator.power_on()
    yield emulator
    emulator.power_off()


def test_boots_and_resets(emulator: Emulator) -> None:
    with Session(emulator.serial_path()) as session:
        assert session.board_name == emulator.board.name
        assert session.identify().puf == "fresh"
        assert set(session.self_test().values()) == {"ok"}
        stack = session.stack()
        assert 1000 < stack.used < stack.reserved == emulator.board.stack_bytes
        session.reset()
        assert session.identify().puf == "power-cycle"
        with pytest.raises(DeviceError) as refusal:
            session.enroll()
        assert refusal.value.status is Status.POWER_CYCLE
    emulator.warm_reset()
    with Session(emulator.serial_path()) as session:
        assert session.identify().puf == "power-cycle"
    emulator.power_cycle()
    with Session(emulator.serial_path()) as session:
        assert session.identify().puf == "fresh"


def test_long_garbage_leaves_the_line_in_step(emulator: Emulator) -> None:
    with Session(emulator.serial_path()) as session:
        assert session.board_name == emulator.board.name
    with serial.Serial(emulator.serial_path(), 115200, timeout=20) as line:
        for garbage in (b"x" * 3000, b"\x01\x02\xff", b"db 0g"):
            line.write(garbage + b"%")
            answer = line.read_until(b"m-ready\r\n")
            assert answer.startswith(b"e-[") and answer.endswith(b"]\r\nm-ready\r\n")
    with Session(emulator.serial_path()) as session:
        assert session.board_name == emulator.board.name


def test_licensed_device_computes_what_the_reference_computes(
    emulator: Emulator, made: Any
) -> None:
    licensed = enroll_and_license(emulator, made)
    container = made.export.container
    with Session(emulator.serial_path()) as session:
        for number, task in enumerate(container.tasks):
            session.unlock(task.name, licensed.psk(task.name))
            session.switch(task.name)
            images = made.images[task.name][:2]
            outputs = Reference.open(container, number, made.secrets[task.name]).infer(images)
            for sample, image in enumerate(images):
                trace = session.trace(image.tobytes())
                assert trace.ticks_hz == emulator.emulation.tick_hz
                assert [layer.crc32 for layer in trace.layers] == [
                    binascii.crc32(layer[sample].tobytes()) for layer in outputs.layers
                ]
        stack = session.stack()
        assert stack.used < stack.reserved


@stack_row
def test_every_command_leaves_a_quarter_of_the_stack(
    emulator: Emulator, made: Any, trust: Trust
) -> None:
    used, name = {}, f"{emulator.board.name} every command"
    licensed = enroll_and_license(emulator, made)
    arguments = {"infer": "2 1", "unlock": f"grey {licensed.psk('grey').hex()}", "switch": "grey"}
    with Session(emulator.serial_path()) as session:
        session.unlock("grey", licensed.psk("grey"))
        session.switch("grey")
        session.load(made.images["grey"][0].tobytes())
        for word in [command.word for command in COMMANDS if command.word != "reset"]:
            line = f"{word} {arguments.get(word, '')}".strip()
            assert list(session.line.exchange(line, 60.0))[-1] == READY
            used[word] = measured_stack(session, name, trust)
        session.add_licence(licensed.licences["grey"].data)
        used["licence"] = measured_stack(session, name, trust)
    emulator.device.write_provisioning(b"\xff" * 4096, emulator.board.provisioning.bytes)
    emulator.power_cycle()
    with Session(emulator.serial_path()) as session:
        session.enroll()
        used["enroll"] = measured_stack(session, f"{emulator.board.name} enrolment", trust)
    deepest = max(used.values())
    trust.measured(f"{name}: {deepest:.0%}", 1)
    assert deepest <= 0.75, used


def test_a_byte_ends_a_long_run(emulator: Emulator, made: Any) -> None:
    licensed = enroll_and_license(emulator, made)
    with Session(emulator.serial_path()) as session:
        session.unlock("grey", licensed.psk("grey"))
        session.switch("grey")
        session.load(made.images["grey"][0].tobytes())
    with serial.Serial(emulator.serial_path(), 115200, timeout=60) as line:
        line.write(b"infer 50000 0%\r\n")
        started = b"m-infer-start-50000\r\n"
        assert line.read_until(started).endswith(started)
        line.write(b"%")
        assert line.read_until(b"m-ready\r\n").startswith(b"e-[stopped: ")
        line.write(b"infer 1 0%")
        assert b"m-results-[" in line.read_until(b"m-ready\r\n")


def test_lost_bytes_are_noticed_after_the_complete_lines(emulator: Emulator, made: Any) -> None:
    licensed = enroll_and_license(emulator, made)
    with Session(emulator.serial_path()) as session:
        session.unlock("grey", licensed.psk("grey"))
        session.switch("grey")
        session.load(made.images["grey"][0].tobytes())
    named = f"m-name-dut-[{emulator.board.name}]\r\nm-ready\r\n".encode()
    with serial.Serial(emulator.serial_path(), 115200, timeout=90) as line:
        # QEMU notices the bytes late: the device must still be busy then.
        line.write(b"selftest%" * 100 + b"name%" + b"x" * 3000)
        for _ in range(100):
            assert b"e-[" not in line.read_until(b"m-ready\r\n")
        assert line.read_until(b"m-ready\r\n") == named
        line.write(b"%")
        assert line.read_until(b"m-ready\r\n").startswith(b"e-[overrun: ")
        line.write(b"name%")
        assert line.read_until(b"m-ready\r\n") == named
    with Session(emulator.serial_path()) as session:
        assert session.board_name == emulator.board.name


def test_timer_counts_instructions(emulator: Emulator) -> None:
    with Session(emulator.serial_path()) as session:
        first, second = (session.ask("timestamp").laps() for _ in range(2))
    assert second > first
    hz, shift = emulator.emulation.tick_hz, emulator.emulation.icount_shift
    assert emulator.instructions(hz) == 10**9 >> shift
    assert instructions(emulator.emulation, 0) == 0


def test_power_survives_the_process_and_stale_state_is_seen(emulator: Emulator) -> None:
    again = Emulator(emulator.device.folder, emulator.board)
    assert again.is_on() and again.serial_path() == emulator.serial_path()
    again.power_on()
    assert again.serial_path() == emulator.serial_path()
    stale = emulator.device.state_file.read_bytes()
    again.power_off()
    assert not emulator.is_on()
    again.power_off()
    emulator.device.state_file.write_bytes(stale)
    assert not emulator.is_on()
    with pytest.raises(EmulatorError, match="is off"):
        emulator.serial_path()
    emulator.power_on()
    assert emulator.is_on()


def test_deep_folders_fit_a_unix_socket(build: BuildResult, tmp_path: Path) -> None:
    folder = tmp_path / ("deep" * 20) / ("er,," * 20)
    board = EmulatedBoard.create(folder, build.board.name, seed=5)
    board.write_flash(build.bin.read_bytes(), build.board.flash.bytes)
    emulator = Emulator(folder, build.board)
    emulator.power_on()
    try:
        with Session(emulator.serial_path()) as session:
            assert session.board_name == build.board.name
    finally:
        emulator.power_off()
    assert not emulator.is_on()
