"""The product's firmware with every architecture on every emulated core: it boots, is licensed and
computes, streaming or with resident weights. ``make test`` has every architecture once, and every
core but the M7, which runs the code of the M4; ``make test-full`` and ``make trust`` have all."""

from __future__ import annotations

import binascii
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from emulated_device import PROVIDER, enroll_and_license, measured_stack, stack_row
from trust_rows import Trust

from rbnn.device.emulated.emulator import Emulator
from rbnn.device.session import Session
from rbnn.engine.reference import Reference
from rbnn.export.packed import SHIPPED, PackedModel
from rbnn.flash.emulated import EmulatedBoard
from rbnn.image import platformio
from rbnn.image.board import load_board
from rbnn.keys.published import published_provider

pytestmark = [
    pytest.mark.qemu,
    pytest.mark.skipif(
        not (shutil.which("qemu-system-arm") and shutil.which("arm-none-eabi-gcc")),
        reason="apt-get install qemu-system-arm gcc-arm-none-eabi libnewlib-arm-none-eabi",
    ),
]


@stack_row
@pytest.mark.parametrize(
    ("name", "architecture", "width"),
    [
        pytest.param("qemu", "resnet", 64, marks=pytest.mark.full),
        ("qemu", "reactnet", 40),
        ("qemu-m3", "vgg", 32),
        pytest.param("qemu-m3", "reactnet", 32, marks=pytest.mark.full),
        pytest.param("qemu-m7", "vgg", 32, marks=pytest.mark.full),
        pytest.param("qemu-m7", "resnet", 48, marks=pytest.mark.full),
        ("nucleo", "resnet", 32),
    ],
)
def test_a_licensed_device_computes_what_the_reference_computes(
    name: str,
    architecture: str,
    width: int,
    tmp_path: Path,
    random_export: Callable[..., Any],
    trust: Trust,
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
            used = measured_stack(session, f"{name} {architecture}", trust)
            assert used <= 0.75
    finally:
        emulator.power_off()


@stack_row
@pytest.mark.skipif(not SHIPPED.is_dir(), reason="models/seven is not here")
def test_the_largest_network_leaves_a_quarter_of_the_stack(tmp_path: Path, trust: Trust) -> None:
    """The shipped model of seven tasks and 1.78 million weights."""
    model = PackedModel.read(SHIPPED)
    export = model.lay_out(tmp_path / "export")
    build = platformio.build(load_board("qemu"), export.folder, test_only=True, development=True)
    board = EmulatedBoard.create(tmp_path / "device", "qemu", seed=5)
    board.write_flash(build.bin.read_bytes(), build.board.flash.bytes)
    emulator = Emulator(tmp_path / "device", build.board)
    emulator.power_on()
    try:
        made = SimpleNamespace(export=export, secrets=model.secrets())
        licensed = enroll_and_license(emulator, made, published_provider())
        with Session(emulator.serial_path()) as session:
            assert set(session.self_test().values()) == {"ok"}
            for task, golden in model.golden.items():
                session.unlock(task, licensed.psk(task))
                session.switch(task)
                session.infer(golden.images[0].tobytes())
            used = measured_stack(session, "qemu, the shipped network of seven tasks", trust)
            assert used <= 0.75
    finally:
        emulator.power_off()
