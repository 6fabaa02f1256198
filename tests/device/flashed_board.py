"""A flashed board and what it was made from, for tests that run the real firmware under QEMU."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from rbnn.container.container import CRC_OFFSET, Container, container_crc32
from rbnn.device import deploy
from rbnn.device.emulated.target import EmulatedTarget
from rbnn.device.errors import DeviceError
from rbnn.device.session import Session
from rbnn.flash.emulated import DEFAULT_BIT_ERROR_RATE, EmulatedBoard
from rbnn.keys.provider_key import ProviderKey
from rbnn.keys.registry import Registry
from rbnn.keys.user_key import UserKey
from rbnn.runs.run import Run
from rbnn.spec.status import Status

TASK = "colour"
OTHER_TASK = "grey"


def quiet(line: str) -> None:
    """Discards progress messages."""


@dataclass
class Flashed:
    """A flashed, enrolled and licensed emulated board, and everything it was made from."""

    folder: Path
    run: Run
    images: dict[str, npt.NDArray[np.uint8]]
    provider: ProviderKey
    user_key: UserKey
    registry: Registry
    prepared: deploy.Prepared
    target: EmulatedTarget
    report: deploy.FlashReport
    copies: list[EmulatedTarget] = field(default_factory=list)

    @property
    def container(self) -> Container:
        return self.prepared.export.container

    @property
    def public(self) -> bytes:
        return bytes.fromhex(self.report.device)

    def psk(self, session: Session, task: str = TASK) -> bytes:
        """The right key for the licence of ``task`` that the device holds."""
        (held,) = [licence for licence in session.licences() if licence.task == task]
        return self.user_key.psk(bytes.fromhex(held.licence_id))

    def copy(
        self,
        name: str,
        *,
        same_chip: bool = True,
        flash: bytes | None = None,
        provisioning: bytes | None = None,
        bit_error_rate: float = DEFAULT_BIT_ERROR_RATE,
    ) -> EmulatedTarget:
        """Another board with this one's flash; the same silicon or a new one."""
        folder = self.folder / "copies" / name
        device = EmulatedBoard.create(folder, self.target.board.name, bit_error_rate=bit_error_rate)
        if same_chip:
            shutil.copy(self.target.device.fingerprint_file, device.fingerprint_file)
        board = self.target.board
        device.write_flash(flash or self.target.device.flash_file.read_bytes(), board.flash.bytes)
        device.write_provisioning(
            provisioning or self.target.device.provisioning_file.read_bytes(),
            board.provisioning.bytes,
        )
        if board.store is not None and self.target.device.store_file.exists():
            with self.target.device.store_file.open("rb") as store:
                device.store_file.write_bytes(store.read(board.store.bytes))
            os.truncate(device.store_file, self.target.device.store_file.stat().st_size)
        self.copies.append(EmulatedTarget(board, folder, quiet))
        return self.copies[-1]

    def flash_with(self, container: bytes, *, fix_crc: bool = True) -> bytes:
        """The flash image with another container of the same size in it."""
        if fix_crc:
            crc = container_crc32(container).to_bytes(4, "little")
            container = container[:CRC_OFFSET] + crc + container[CRC_OFFSET + 4 :]
        image = self.target.device.flash_file.read_bytes()
        assert image.count(self.container.data) == 1
        assert len(container) == len(self.container.data)
        return image.replace(self.container.data, container)


def assert_answers(session: Session) -> None:
    """The device accepts the next command."""
    assert session.ask("name").one("name-dut") == "qemu"


def refused(act: object, *arguments: object) -> Status | None:
    """The status with which the device refuses a call."""
    assert callable(act)
    with pytest.raises(DeviceError) as caught:
        act(*arguments)
    return caught.value.status


def unlock_on(target: EmulatedTarget, flashed: Flashed, task: str = TASK) -> Status | None:
    """Power a board up and unlock with the right key; returns the status."""
    target.power_cycle()
    try:
        with target.open() as session:
            try:
                session.unlock(task, flashed.psk(session, task))
            except DeviceError as error:
                assert_answers(session)
                return error.status
            return Status.OK
    finally:
        target.emulator.power_off()
