"""No secret outlives its use: a debugger reads the RAM of the emulated chip after each step."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import serial
from elftools.elf.elffile import ELFFile
from emulated_device import (
    PROVIDER,
    USED_BYTES,
    USER,
    Licensed,
    enroll_and_license,
    read_ram,
)
from emulated_memory import read_memory

from rbnn.device.emulated.debug_stub import DebugStub
from rbnn.device.emulated.emulator import Emulator
from rbnn.device.errors import DeviceError
from rbnn.device.session import Session
from rbnn.flash.emulated import EmulatedBoard
from rbnn.image import platformio
from rbnn.image.board import load_board
from rbnn.image.platformio import BuildResult
from rbnn.places import firmware_folder
from rbnn.spec import key_stream

pytestmark = [
    pytest.mark.qemu,
    pytest.mark.skipif(
        not (shutil.which("qemu-system-arm") and shutil.which("arm-none-eabi-gcc")),
        reason="apt-get install qemu-system-arm gcc-arm-none-eabi libnewlib-arm-none-eabi",
    ),
]
TASK = "grey"
SOURCE = "engine.source"
"""The member of rbnn_device (firmware/device/device.h) that a kernel calls."""


@pytest.fixture(scope="module")
def made(random_export: Callable[..., Any]) -> Any:
    return random_export(provider_public=PROVIDER.public, trunk=2)


@pytest.fixture(scope="module")
def build(made: Any) -> BuildResult:
    return platformio.build(load_board("qemu"), made.export.folder)


@pytest.fixture
def licensed(
    made: Any, build: BuildResult, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Licensed]:
    folder: Path = tmp_path_factory.mktemp("d")
    board = EmulatedBoard.create(folder, "qemu", seed=8)
    board.write_flash(build.bin.read_bytes(), build.board.flash.bytes)
    emulator = Emulator(folder, build.board)
    emulator.power_on()
    yield enroll_and_license(emulator, made)
    emulator.power_off()


def test_the_view_is_wide_enough(build: BuildResult) -> None:
    with build.elf.open("rb") as image:
        ends = [part["sh_addr"] + part["sh_size"] for part in ELFFile(image).iter_sections()]
    noinit = build.board.noinit.address
    assert max(end for end in ends if end < noinit) <= build.board.ram.address + USED_BYTES


def held(licensed: Licensed, secret: bytes) -> bool:
    """Whether 8 consecutive bytes of ``secret`` are in RAM, as bytes or as hex digits."""
    ram = read_ram(licensed.emulator)
    parts = [secret[at : at + 8] for at in range(0, len(secret) - 7, 8)]
    return any(part in ram or part.hex().encode() in ram for part in parts)


def test_secrets_come_and_go(licensed: Licensed, made: Any) -> None:
    psk, task_secret = licensed.psk(TASK), made.secrets[TASK]
    container = made.export.container
    stream_key = key_stream.stream_key(task_secret, container.model_id)
    trunk_key = key_stream.trunk_key(made.secrets.values(), container.model_id)
    with Session(licensed.emulator.serial_path()) as session:
        wrong = bytes([psk[0] ^ 1]) + psk[1:]
        with pytest.raises(DeviceError):
            session.unlock(TASK, wrong)
        assert not held(licensed, wrong)
        session.unlock(TASK, psk)
        assert not held(licensed, psk)
        assert not held(licensed, task_secret)
        assert not held(licensed, stream_key) and not held(licensed, trunk_key)
        session.switch(TASK)
        # An active task has its streams' keys there; its secret was there while it was unlocked.
        assert held(licensed, stream_key) and held(licensed, trunk_key)
        assert not held(licensed, task_secret)
        session.infer(made.images[TASK][0].tobytes())
        session.lock()
        for secret in (psk, task_secret, stream_key, trunk_key, USER.key.reveal()):
            assert not held(licensed, secret)


@pytest.mark.parametrize("leave", ["lock", "switch"])
def test_nothing_of_a_task_outlives_it(
    licensed: Licensed, made: Any, build: BuildResult, leave: str
) -> None:
    """Activations, tables and tiles, parameters: all zero after a lock or a refused switch."""
    with build.elf.open("rb") as image:
        table = ELFFile(image).get_section_by_name(".symtab")
        places = [table.get_symbol_by_name(name)[0] for name in ("arena", "work", "params")]

    def used() -> list[bool]:
        return [
            any(read_memory(licensed.emulator, place["st_value"], place["st_size"]))
            for place in places
        ]

    with Session(licensed.emulator.serial_path()) as session:
        session.unlock(TASK, licensed.psk(TASK))
        session.switch(TASK)
        session.infer(made.images[TASK][0].tobytes())
        assert used() == [True] * 3
        if leave == "lock":
            session.lock()
        else:
            with pytest.raises(DeviceError):
                session.switch("colour")
        assert used() == [False] * 3


def test_fingerprint_is_wiped_once_it_has_been_read(licensed: Licensed) -> None:
    puf = licensed.emulator.board.puf
    with Session(licensed.emulator.serial_path()) as session:
        assert session.identify().puf == "enrolled"
        assert read_memory(licensed.emulator, puf.address, puf.bytes) == bytes(puf.bytes)


def test_warm_reset_clears_secrets(licensed: Licensed, made: Any) -> None:
    with Session(licensed.emulator.serial_path()) as session:
        session.unlock(TASK, licensed.psk(TASK))
        session.switch(TASK)
        session.reset()
        assert session.identify().puf == "power-cycle"
        assert not held(licensed, made.secrets[TASK])


def test_a_warm_reset_leaves_nothing_of_a_fingerprint_that_was_never_read(
    build: BuildResult, tmp_path: Path
) -> None:
    board = EmulatedBoard.create(tmp_path, "qemu", seed=9)
    board.write_flash(build.bin.read_bytes(), build.board.flash.bytes)
    emulator, puf = Emulator(tmp_path, build.board), build.board.puf
    emulator.power_on()
    try:
        with Session(emulator.serial_path()) as session:
            assert session.identify().puf == "fresh"
            assert read_memory(emulator, puf.address, puf.bytes) != bytes(puf.bytes)
            session.reset()
            assert session.identify().puf == "power-cycle"
            assert read_memory(emulator, puf.address, puf.bytes) == bytes(puf.bytes)
    finally:
        emulator.power_off()


def test_a_stack_overflow_restarts_the_device_without_secrets(
    licensed: Licensed, made: Any
) -> None:
    with Session(licensed.emulator.serial_path()) as session:
        session.unlock(TASK, licensed.psk(TASK))
        session.switch(TASK)
    below_ram = licensed.emulator.board.ram.address - 64
    with DebugStub(licensed.emulator.device.folder / "qemu" / "gdb") as stub:
        # Only a debugger that has asked for the registers' description can set single ones.
        assert stub.exchange("qXfer:features:read:target.xml:0,400")
        assert stub.exchange(f"Pd={below_ram.to_bytes(4, 'little').hex()}") == "OK"
    with serial.Serial(licensed.emulator.serial_path(), 115200, timeout=20) as line:
        line.write(b"name%")
        assert b"m-init-done\r\n" in line.read_until(b"m-init-done\r\n")
    with Session(licensed.emulator.serial_path()) as session:
        assert session.identify().puf == "power-cycle"
        assert not held(licensed, made.secrets[TASK])


def offset_in_device(member: str, folder: Path, model: Path) -> int:
    """Offset of a member of rbnn_device, in a build with this model: the size of an array that the
    compiler lays out."""
    source, made = folder / "offset.c", folder / "offset.o"
    source.write_text(
        '#include <stddef.h>\n#include "device/device.h"\n'
        f"char found[offsetof(rbnn_device, {member})];\n"
    )
    subprocess.run(
        ["arm-none-eabi-gcc", "-std=c11", "-mcpu=cortex-m4", "-mthumb", f"-I{firmware_folder()}",
         f"-I{model}", "-c", str(source), "-o", str(made)], check=True,
    )  # fmt: skip
    with made.open("rb") as image:
        symbols = ELFFile(image).get_section_by_name(".symtab")
        return int(symbols.get_symbol_by_name("found")[0]["st_size"])


def test_a_fault_restarts_the_device_without_secrets(
    licensed: Licensed, made: Any, build: BuildResult, tmp_path: Path
) -> None:
    with build.elf.open("rb") as image:
        symbols = ELFFile(image).get_section_by_name(".symtab")
        device = symbols.get_symbol_by_name("device")[0]["st_value"]
    with Session(licensed.emulator.serial_path()) as session:
        session.unlock(TASK, licensed.psk(TASK))
        session.switch(TASK)
        session.load(made.images[TASK][0].tobytes())
    with DebugStub(licensed.emulator.device.folder / "qemu" / "gdb") as stub:
        stub.write(
            device + offset_in_device(SOURCE, tmp_path, made.export.folder), b"\xff\xff\xff\x7f"
        )
    with serial.Serial(licensed.emulator.serial_path(), 115200, timeout=20) as line:
        line.write(b"infer 1 0%")
        assert b"m-init-done\r\n" in line.read_until(b"m-init-done\r\n")
    with Session(licensed.emulator.serial_path()) as session:
        assert session.identify().puf == "power-cycle"
        assert not held(licensed, made.secrets[TASK])
