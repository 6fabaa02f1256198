"""An emulated board: a folder is its flash, a QEMU process is its chip under power."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from rbnn.device.emulated.emulator import Emulator
from rbnn.device.target import Say, Target
from rbnn.flash.emulated import EmulatedBoard
from rbnn.flash.errors import FlashError
from rbnn.image.board import Board, Emulation

if TYPE_CHECKING:
    from rbnn.image.platformio import BuildResult


class EmulatedTarget(Target):
    """A board under QEMU.

    Args:
        board: its manifest.
        folder: holds what the device keeps without power; made with the first firmware.
        say: told when a new device is made, and when the board is left running.
    """

    def __init__(self, board: Board, folder: Path, say: Say) -> None:
        super().__init__(board)
        self.device = EmulatedBoard(folder)
        self.emulator = Emulator(folder, board)
        self._say = say
        self._told = False
        self.stays_on = True
        """Whether it is left running when the command ends, which is then said."""

    @property
    def emulation(self) -> Emulation:
        """From its manifest."""
        return self.emulator.emulation

    def check(self) -> None:
        """The folder belongs to this board, or is unused."""
        if self.device.exists:
            self.device.settings(self.board.name)

    def is_blank(self) -> bool:
        """Whether no firmware was ever written to it."""
        return not self.device.has_firmware

    def is_on(self) -> bool:
        """Whether its emulator runs."""
        self._check()
        return self.emulator.is_on()

    def write_firmware(self, build: BuildResult, model: Path | None) -> None:
        """Power it off and replace the flash image; a missing device is made first."""
        if not self.device.exists:
            self._say(f"Making the emulated board {self.device.folder}.")
            EmulatedBoard.create(self.device.folder, self.board.name)
        self.emulator.power_off()
        self.device.write_flash(build.bin.read_bytes(), self.board.image.bytes)
        if not self.device.provisioning_file.exists():
            self.device.erase_provisioning(self.board.provisioning.bytes)

    def write_provisioning(self, partition: bytes) -> None:
        """Power it off and replace the provisioning partition."""
        self.emulator.power_off()
        self.device.write_provisioning(partition, self.board.provisioning.bytes)

    def write_model(self, model: bytes) -> None:
        """Power it off and replace the partition of the model."""
        self.emulator.power_off()
        self.emulator.write_model(model)

    def erase_provisioning(self) -> None:
        """Power it off and erase the provisioning partition."""
        self.emulator.power_off()
        self.device.erase_provisioning(self.board.provisioning.bytes)

    def power_off(self) -> None:
        """End its emulator, if that runs.

        Raises:
            FlashError: there is no such board.
        """
        if not self.emulator.is_on():
            self.device.settings(self.board.name)
        self.emulator.power_off()

    def warm_reset(self) -> None:
        """Press its reset button.

        Raises:
            RbnnError: there is no such board, or it is off.
        """
        self._check()
        self.emulator.warm_reset()

    def power_cycle(self) -> None:
        """Start a new QEMU process with fresh noise in the SRAM."""
        self._check()
        was_on = self.emulator.is_on()
        self.emulator.power_cycle()
        if not was_on:
            self._tell_that_it_stays_on()

    def serial_path(self) -> str:
        """The pseudo terminal; a board that is off is powered on."""
        self._check()
        if not self.emulator.is_on():
            self.emulator.power_on()
            self._tell_that_it_stays_on()
        return self.emulator.serial_path()

    def commands(
        self, model: Path | None, partition: bytes | None = None, program: bool = True
    ) -> list[str]:
        """No command is run: files are written."""
        held = self.device.model_file if self.emulator.model_place() is None else None
        written = [
            *([self.device.flash_file] if program else []),
            *([held or self.device.store_file] if partition else []),
            self.device.provisioning_file,
        ]
        return [f"# write {file}" for file in written]

    def _tell_that_it_stays_on(self) -> None:
        if self._told or not self.stays_on:
            return
        self._told = True
        off = ["rbnn", "board", "off", "--board", self.board.name]
        off += ["--device-folder", str(self.device.folder)]
        self._say(f"The emulated board stays on. Power it off with: {shlex.join(off)}")

    def _check(self) -> None:
        self.device.settings(self.board.name)
        if self.is_blank():
            raise FlashError(
                f"The emulated board in {self.device.folder} has no firmware.",
                "Write it: rbnn flash --user-key PATH",
            )
