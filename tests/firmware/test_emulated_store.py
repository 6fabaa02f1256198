"""What an emulated board remembers: across switches, power-offs, a killed QEMU, and power cuts
in the middle of flash operations."""

from __future__ import annotations

import os
import shutil
import signal
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from emulated_device import PROVIDER, USER

from rbnn.device.emulated.emulator import Emulator
from rbnn.device.errors import DeviceError, LinkError
from rbnn.device.session import Session
from rbnn.flash.emulated import EmulatedBoard
from rbnn.image import platformio
from rbnn.image.board import load_board
from rbnn.keys import licence, provisioning, revocation
from rbnn.keys.licence import Licence
from rbnn.spec.status import Status

pytestmark = [
    pytest.mark.qemu,
    pytest.mark.skipif(
        not (shutil.which("qemu-system-arm") and shutil.which("arm-none-eabi-gcc")),
        reason="apt-get install qemu-system-arm gcc-arm-none-eabi libnewlib-arm-none-eabi",
    ),
]


@dataclass
class Enrolled:
    """An emulated board with a model, enrolled; its power is on."""

    emulator: Emulator
    made: Any
    public: bytes
    record: bytes

    def issue(self, sequence: int, limit: int = 0) -> Licence:
        """A licence for the task grey."""
        container = self.made.export.container
        return licence.issue(
            PROVIDER,
            self.public,
            USER,
            container.model_id,
            container.digest,
            container.task_number("grey"),
            self.made.secrets["grey"],
            sequence,
            limit,
        )

    def notice(self, sequence: int) -> bytes:
        """A notice of revocation for the task grey."""
        container = self.made.export.container
        number = container.task_number("grey")
        return revocation.make(PROVIDER, self.public, container.model_id, number, sequence).data

    def activate(self, session: Session, held: Licence) -> None:
        """Load a licence, open it, make its task active, load an image."""
        session.add_licence(held.data)
        session.unlock("grey", USER.psk(held.licence_id))
        session.switch("grey")
        session.load(self.made.images["grey"][0].tobytes())

    def cut_power_after(self, operations: int) -> None:
        """Let power fail in the middle of a flash operation."""
        with self.emulator.device.store_file.open("r+b") as file:
            file.seek(self.emulator.board.store.bytes)
            file.write(struct.pack("<I", operations))

    def count_left(self, held: Licence, most: int) -> int:
        """How many inferences the licence still gives."""
        with Session(self.emulator.serial_path()) as session:
            self.activate(session, held)
            for number in range(most + 1):
                try:
                    session.ask("infer 1 0")
                except DeviceError as error:
                    assert error.status is Status.LIMIT
                    return number
        raise AssertionError(f"more than {most} inferences")


@pytest.fixture
def board(random_export: Callable[..., Any], tmp_path: Path) -> Iterator[Enrolled]:
    made = random_export(provider_public=PROVIDER.public, width=32)
    build = platformio.build(load_board("qemu"), made.export.folder)
    device = EmulatedBoard.create(tmp_path / "device", "qemu", seed=5)
    device.write_flash(build.bin.read_bytes(), build.board.image.bytes)
    emulator = Emulator(tmp_path / "device", build.board)
    emulator.power_on()
    with Session(emulator.serial_path()) as session:
        enrolment = session.enroll()
    device.write_provisioning(
        provisioning.build(enrolment.record, []), build.board.provisioning.bytes
    )
    emulator.power_cycle()
    yield Enrolled(emulator, made, enrolment.public, enrolment.record)
    emulator.power_off()


def refusal(session: Session, command: str) -> Status:
    with pytest.raises(DeviceError) as refused:
        session.ask(command)
    assert refused.value.status is not None
    return refused.value.status


def test_counts_and_floors_outlast_switches_power_and_qemu_itself(board: Enrolled) -> None:
    old, limited = board.issue(sequence=3), board.issue(sequence=4, limit=4)
    with Session(board.emulator.serial_path()) as session:
        board.activate(session, old)
        session.ask("infer 5 0")
        board.activate(session, limited)
        session.ask("infer 1 0")
        session.switch("grey")
        session.ask("infer 1 0")
        session.lock()
        session.reset()
    board.emulator.power_cycle()
    with Session(board.emulator.serial_path()) as session:
        session.load(old.data)
        assert refusal(session, "licence") is Status.LICENCE_OLD
        board.activate(session, limited)
        session.ask("infer 1 0")
    # No orderly end: the process is gone.
    state = board.emulator._state()
    assert state is not None
    os.kill(state.pid, signal.SIGKILL)
    board.emulator.power_off()
    board.emulator.power_on()
    assert board.count_left(limited, 4) == 1
    board.emulator.power_cycle()
    assert board.count_left(limited, 4) == 0
    with Session(board.emulator.serial_path()) as session:
        notice = board.notice(9)
        assert session.revoke(notice) == ("grey", 9)
        assert session.stack().used < session.stack().reserved
    board.emulator.power_cycle()
    with Session(board.emulator.serial_path()) as session:
        newer = board.issue(sequence=8)
        session.load(newer.data)
        assert refusal(session, "licence") is Status.LICENCE_OLD
        board.activate(session, board.issue(sequence=9))
        session.ask("infer 1 0")


def test_power_cuts_in_flash_operations_give_nothing_away(board: Enrolled) -> None:
    """Each cut leaves the count as it was or as it was to be; more is never granted."""
    limited = board.issue(sequence=4, limit=10)
    used = 0
    for operations in (1, 3, 8):
        with Session(board.emulator.serial_path()) as session:
            board.activate(session, limited)
            session.ask("infer 1 0")
            used += 1
            board.cut_power_after(operations)
            with pytest.raises((LinkError, DeviceError)):
                session.ask("infer 1 0", 3.0)
        board.emulator.power_off()
        board.cut_power_after(0)
        board.emulator.power_on()
    left = board.count_left(limited, 10)
    assert 10 - used - 3 <= left <= 10 - used
