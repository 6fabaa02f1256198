"""Board and integer reference, layer by layer, on 200 images of each task.

One image is sent over the serial line. The others are written over it in RAM through the debugger's
port, because the line would take most of the time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from emulated_memory import debug_port, read_memory
from flashed_board import OTHER_TASK, TASK, Flashed

from rbnn.device.emulated.debug_stub import DebugStub
from rbnn.device.emulated.target import EmulatedTarget
from rbnn.device.evaluation import LayerDifference, check_layers
from rbnn.device.session import Session
from rbnn.device.switching import switch_task
from rbnn.engine.golden import layer_crc32
from rbnn.engine.reference import Reference

pytestmark = [pytest.mark.qemu, pytest.mark.slow]

IMAGES = 200
RAM_BYTES = 0x20000
"""More than the firmware uses, from the start of the RAM."""


class DirectSession(Session):
    """A session that sends the first input over the line and writes the others in its place."""

    def __init__(self, target: EmulatedTarget) -> None:
        super().__init__(target.serial_path())
        self._emulator = target.emulator
        self._place: int | None = None

    def load(self, data: bytes) -> None:
        """Fill the device's buffer; always with the same number of bytes."""
        if self._place is not None:
            with DebugStub(debug_port(self._emulator)) as stub:
                stub.write(self._place, data)
            return
        super().load(data)
        start = self._emulator.board.ram.address
        ram = read_memory(self._emulator, start, RAM_BYTES)
        assert ram.count(data) == 1
        self._place = start + ram.index(data)


def test_every_bit_of_every_layer(flashed: Flashed) -> None:
    def differences(task: str) -> list[LayerDifference]:
        number = flashed.container.task_number(task)
        reference = Reference.open(flashed.container, number, flashed.run.secrets()[task])
        shape = (IMAGES, 32, 32, reference.params.input_channels)
        images = np.random.default_rng(number).integers(0, 256, shape, dtype=np.uint8)
        images[1:4] = np.array([0, 255, 128], np.uint8).reshape(3, 1, 1, 1)
        target = flashed.copy(f"equality-{task}")
        with DirectSession(target) as session:
            switch_task(session, task, lambda: flashed.user_key)
            return check_layers(session, images, layer_crc32(reference.infer(images)))

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(differences, (TASK, OTHER_TASK))) == [[], []]
