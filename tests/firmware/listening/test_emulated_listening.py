"""The emulated cores listen: what they detect is what the specification says, to the last digit.

The Cortex-M7 runs the code of the M4, so that it listens in ``make test-full`` only.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bursts_of_sound import recording
from emulated_device import PROVIDER, enroll_and_license, read_ram
from test_listening import TASKS

from rbnn.device.emulated.emulator import Emulator
from rbnn.device.session import Session
from rbnn.device.sound.listening import Listening
from rbnn.engine.reference import Reference
from rbnn.flash.emulated import EmulatedBoard
from rbnn.image import platformio
from rbnn.image.board import load_board
from rbnn.spec.scores import PPM, softmax_ppm
from rbnn.tasks.listener import Judge, background, looks

THRESHOLD = 0.22
SECONDS = 2.6


@pytest.mark.qemu
@pytest.mark.skipif(
    not (shutil.which("qemu-system-arm") and shutil.which("arm-none-eabi-gcc")),
    reason="apt-get install qemu-system-arm gcc-arm-none-eabi libnewlib-arm-none-eabi",
)
@pytest.mark.parametrize(
    "name", ["qemu", "qemu-m3", pytest.param("qemu-m7", marks=pytest.mark.full)]
)
def test_an_emulated_core_hears_what_the_specification_hears(
    name: str, tmp_path: Path, random_export: Callable[..., Any]
) -> None:
    made = random_export(tasks=TASKS, sounds=("sound",), provider_public=PROVIDER.public)
    build = platformio.build(load_board(name), made.export.folder)
    board = EmulatedBoard.create(tmp_path / "device", name, seed=5)
    board.write_flash(build.bin.read_bytes(), build.board.flash.bytes)
    emulator = Emulator(tmp_path / "device", build.board)
    emulator.power_on()
    pcm = recording(SECONDS)
    try:
        licensed = enroll_and_license(emulator, made)
        container = made.export.container
        number = container.task_number("sound")
        reference = Reference.open(container, number, made.secrets["sound"])
        with Session(emulator.serial_path(), build.board.emulator) as session:
            session.unlock("sound", licensed.psk("sound"))
            session.switch("sound")
            labels = session.active_task().labels
            judge = Judge(round(THRESHOLD * PPM), background(labels))
            wanted = []
            for look in looks(pcm):
                scores: list[int] = []
                if look.picture is not None:
                    logits = reference.infer(look.picture[None, :, :, None]).logits[0]
                    scores = softmax_ppm([int(value) for value in logits])
                if (one := judge.look(scores)) is not None:
                    wanted.append((look.first, labels[one[0]], one[1] / PPM))
            listening = Listening(session, "sound", Path("x.wav"), pcm, THRESHOLD)
            found = [(one.first_sample, one.label, one.score) for one in listening.run()]
            assert found == wanted and wanted
            work = listening.report().work
            assert work is not None and work.front_end_instructions is not None
            # 32 columns a second; 135,000 instructions each on a Cortex-M4.
            assert 2_000_000 < work.front_end_instructions < 6_000_000
            stack = session.stack()
            assert stack.used < 0.75 * stack.reserved
            session.lock()
            # Nothing of the sound stays in RAM.
            ram = read_ram(emulator)
            loudest = pcm[20_000:].astype("<i2").tobytes()
            assert not any(
                loudest[at : at + 16] in ram
                for at in range(0, len(loudest) - 16, 500)
                if any(loudest[at : at + 16])
            )
    finally:
        emulator.power_off()
