"""A network of the user's own on an emulated Cortex-M4: every layer is that of the reference."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from emulated_device import PROVIDER, enroll_and_license
from random_parameters import random_parameters

from rbnn.device.emulated.emulator import Emulator
from rbnn.device.evaluation import check_layers
from rbnn.device.session import Session
from rbnn.engine.golden import layer_crc32
from rbnn.engine.reference import Reference
from rbnn.flash.emulated import EmulatedBoard
from rbnn.image import platformio
from rbnn.image.board import load_board
from rbnn.nets.own.file import read_network
from rbnn.nets.own.stored import StoredNetwork
from rbnn.runs.run import Run

pytestmark = [
    pytest.mark.qemu,
    pytest.mark.skipif(
        not (shutil.which("qemu-system-arm") and shutil.which("arm-none-eabi-gcc")),
        reason="apt-get install qemu-system-arm gcc-arm-none-eabi libnewlib-arm-none-eabi",
    ),
]

NETWORK = """
def network(net):
    x = net.stem(40, kernel=5, stride=2, pool=2, stream=True, sign="thresholds")
    y = net.conv(x, 64, kernel=2, pad=0)
    x = net.conv(x, 80, stride=2, shortcut=x, activation="rprelu")
    z = net.conv(net.max_pool(y, window=3, stride=2), 80, kernel=1, pad=0, stream=True)
    x = net.conv(x, 80, kernel=3, pad=0, stride=1, shortcut=None, stream=True)
    x = net.conv(x, 80, kernel=2, pad=1, stride=1, shortcut=z)
    net.dense(x)
"""


@pytest.fixture
def made(tmp_path: Path, random_export: Callable[..., Any]) -> Any:
    """A random run of the network, exported."""
    (tmp_path / "mine.py").write_text(NETWORK)
    topology = read_network(tmp_path / "mine.py").topology((32, 32, 3), 10)
    first = random_export(tmp_path / "run", provider_public=PROVIDER.public)
    run = Run(tmp_path / "run")
    stored = StoredNetwork.of(topology, "mine.py")
    own = {"network": stored, "architecture": "mine", "width": None, "depth": None}
    config = run.config().model_copy(update=own)
    run.write_config(config)
    names = [task.name for task in config.tasks]
    random_parameters(np.random.default_rng(4), topology, names).save(run.parameters_file)
    from rbnn.export.export import export_run

    export = export_run(run, PROVIDER.public, samples=first.images)
    return type(first)(run, export, first.secrets, first.images)


def test_the_device_computes_every_layer_of_a_network_of_ones_own(
    made: Any, tmp_path: Path
) -> None:
    board = load_board("qemu")
    build = platformio.build(board, made.export.folder, development=True)
    device = EmulatedBoard.create(tmp_path / "device", board.name, seed=5)
    device.write_flash(build.bin.read_bytes(), board.flash.bytes)
    emulator = Emulator(tmp_path / "device", board)
    emulator.power_on()
    try:
        licensed = enroll_and_license(emulator, made)
        with Session(emulator.serial_path()) as session:
            for number, task in enumerate(("colour", "grey")):
                session.unlock(task, licensed.psk(task))
                session.switch(task)
                images = made.images[task][:3]
                reference = Reference.open(made.export.container, number, made.secrets[task])
                expected = layer_crc32(reference.infer(images))
                assert check_layers(session, images, expected) == []
    finally:
        emulator.power_off()
