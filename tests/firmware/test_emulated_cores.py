"""The product's firmware with every architecture on every emulated core: it boots, is licensed and
computes, streaming or with resident weights."""

from __future__ import annotations

import binascii
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from emulated_device import PROVIDER, enroll_and_license

from rbnn.device.emulated.emulator import Emulator
from rbnn.device.session import Session
from rbnn.engine.reference import Reference
from rbnn.flash.emulated import EmulatedBoard
from rbnn.image import platformio
from rbnn.image.board import load_board


@pytest.mark.qemu
@pytest.mark.skipif(
    not (shutil.which("qemu-system-arm") and shutil.which("arm-none-eabi-gcc")),
    reason="apt-get install qemu-system-arm gcc-arm-none-eabi libnewlib-arm-none-eabi",
)
@pytest.mark.parametrize(
    ("name", "architecture", "width"),
    [
        ("qemu", "resnet", 64),
        ("qemu", "reactnet", 40),
        ("qemu-m3", "vgg", 32),
        ("qemu-m3", "reactnet", 32),
        ("qemu-m7", "vgg", 32),
        ("qemu-m7", "resnet", 48),
        ("nucleo", "resnet", 32),
    ],
)
def test_a_licensed_device_computes_what_the_reference_computes(
    name: str, architecture: str, width: int, tmp_path: Path, random_export: Callable[..., Any]
) -> None:
    made = random_export(architecture=architecture, width=width, provider_public=PROVIDER.public)
    build = platformio.build(load_board(name), made.export.folder, development=True)
    assert build.memory is not None and bool(build.memory.resident) == (name == "nucleo")
    board = EmulatedBoard.create(tmp_path / "device", name, seed=5)
    board.write_flash(build.bin.read_bytes(), build.board.flash.bytes)
    emulator = Emulator(tmp_path / "device", build.board)
    emulator.power_on()
    try:
        licensed = enroll_and_license(emulator, made)
        container = made.export.container
        with Session(emulator.serial_path()) as session:
            assert session.board_name == name
            assert set(session.self_test().values()) == {"ok"}
            for number, task in enumerate(container.tasks):
                session.unlock(task.name, licensed.psk(task.name))
                session.switch(task.name)
                image = made.images[task.name][:1]
                outputs = Reference.open(container, number, made.secrets[task.name]).infer(image)
                trace = session.trace(image.tobytes())
                assert [layer.crc32 for layer in trace.layers] == [
                    binascii.crc32(layer[0].tobytes()) for layer in outputs.layers
                ]
            # The deepest call of all is the self-test's; a quarter is left for interrupts.
            stack = session.stack()
            assert stack.used < 0.75 * stack.reserved
    finally:
        emulator.power_off()
