"""A real board: written through its debug probe, power-cycled by the user."""

from __future__ import annotations

import shlex
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from rbnn.device import ports
from rbnn.device.errors import PortError
from rbnn.device.target import Say, Target
from rbnn.flash import openocd
from rbnn.flash.errors import FlashError
from rbnn.image.board import Board, ModelPartition

if TYPE_CHECKING:
    from rbnn.image.platformio import BuildResult

REPLUG_TIMEOUT_S = 300.0
SETTLE_S = 1.0


class RealTarget(Target):
    """A board on USB.

    Args:
        board: its manifest.
        port: its serial port; None to find it by USB ids.
        say: tells the user to unplug the board and to plug it in.
    """

    def __init__(self, board: Board, port: str | None, say: Say) -> None:
        super().__init__(board)
        self._port = port
        self._say = say
        self._probe: str | None = None

    def check(self) -> None:
        """The port exists and OpenOCD is installed."""
        path = self.serial_path()
        if not Path(path).exists():
            raise PortError(
                f"There is no port {path}.", "Plug the board in, or name its port: --port PORT"
            )
        openocd.require()
        self.probe()

    def probe(self) -> str:
        """USB serial number of its debug probe, which is that of its serial port.

        The same one to the end: after a power cycle another board may have the port's name.

        Raises:
            PortError: it cannot be told.
        """
        if self._probe is None:
            self._probe = ports.probe_serial(self.serial_path())
        return self._probe

    def is_blank(self) -> bool:
        """Unknown until it answers."""
        return False

    def is_on(self) -> bool:
        """A board on USB has power."""
        return True

    def write_firmware(self, build: BuildResult, model: Path | None) -> None:
        """Run PlatformIO's upload target."""
        from rbnn.image import platformio

        platformio.upload(
            *(build.board, model, self.probe()),
            development=build.development,
            partition=build.partition,
            tell=self._say,
        )

    def write_provisioning(self, partition: bytes) -> None:
        """Run OpenOCD's ``program``; only the partition's sector is erased."""
        script, address = self._script(), self.board.provisioning.address
        with tempfile.TemporaryDirectory(prefix="rbnn-") as folder:
            file = Path(folder) / "provisioning.bin"
            file.write_bytes(partition)
            openocd.program(script, file, address, self.probe(), self._say)

    def write_model(self, model: bytes) -> None:
        """Run OpenOCD's ``program`` over the whole partition: no older model stays in it."""
        partition = self._partition()
        if len(model) > partition.bytes:
            raise FlashError(
                f"The signed model has {len(model):,} bytes; the partition of "
                f"{self.board.name} has {partition.bytes:,}.",
                "Train a smaller network, or choose a larger board.",
            )
        with tempfile.TemporaryDirectory(prefix="rbnn-") as folder:
            file = Path(folder) / "model.bin"
            file.write_bytes(model.ljust(partition.bytes, b"\xff"))
            openocd.program(self._script(), file, partition.address, self.probe(), self._say)

    def _partition(self) -> ModelPartition:
        if self.board.model is None:
            raise FlashError(
                f"Board {self.board.name} has no partition for a model.",
                "Add rbnn.model to its manifest: docs/model-update.md",
            )
        return self.board.model

    def erase_provisioning(self) -> None:
        """Write erased bytes over all of it: its sectors are erased, of whatever size."""
        self.write_provisioning(b"\xff" * self.board.provisioning.bytes)

    def power_cycle(self) -> None:
        """Ask the user, and wait until the port has disappeared and is back."""
        self._say("Unplug the board, wait five seconds, and plug it in again.")
        path = self.serial_path()
        wait_for(lambda: not Path(path).exists(), "unplugged")
        self._say("Unplugged. Plug it in again.")
        wait_for(self._is_plugged_in, "plugged in again")
        time.sleep(SETTLE_S)

    def serial_path(self) -> str:
        """``--port``, or else the only port with the board's USB ids."""
        if self._port is not None:
            return self._port
        serial = self.board.serial
        ids = [(serial.vendor_id, product) for product in serial.product_ids] if serial else []
        return ports.find(self.board.name, ids)

    def lock(self) -> None:
        """Turn the chip's read-out protection on; the user switches the power off and on."""
        openocd.lock(self._script(), self._lock_text(), self.probe())
        self.power_cycle()

    def check_lock(self) -> None:
        """The manifest knows how, and the board is there."""
        self._lock_text()
        self.check()

    def _lock_text(self) -> str:
        if self.board.openocd_lock is None:
            raise FlashError(
                f"rbnn does not know how to lock a board {self.board.name!r}.",
                "Use its vendor's tool, or add rbnn.openocd_lock to its manifest.",
            )
        return self.board.openocd_lock

    def commands(
        self, model: Path | None, partition: bytes | None = None, program: bool = True
    ) -> list[str]:
        """PlatformIO's upload, then OpenOCD for the partitions of model and provisioning.

        ``provisioning.bin`` represents a temporary file: its content is made after enrolment; so
        does ``model.bin``, the signed model and erased flash up to the partition's end.
        Without ``--port``, ``SERIAL`` represents the serial number of a probe that is not there.
        """
        from rbnn.image import platformio

        try:
            probe = self.probe()
        except PortError:
            if self._port is not None:
                raise
            probe = "SERIAL"
        places = [("provisioning.bin", self.board.provisioning.address)]
        if partition is not None:
            places.insert(0, ("model.bin", self._partition().address))
        upload = platformio.upload_commands(self.board, model, probe, partition=partition)
        return [
            *(upload if program else ()),
            *(
                shlex.join(openocd.program_command(self._script(), Path(name), address, probe))
                for name, address in places
            ),
        ]

    def _is_plugged_in(self) -> bool:
        try:
            return Path(self.serial_path()).exists()
        except PortError:
            return False

    def _script(self) -> str:
        if self.board.openocd_script is None:
            raise FlashError(
                f"The manifest of board {self.board.name!r} names no OpenOCD script.",
                "Add rbnn.openocd_script to it, or use --emulated.",
            )
        return self.board.openocd_script


def wait_for(condition: Callable[[], bool], what: str, timeout_s: float = REPLUG_TIMEOUT_S) -> None:
    """Wait until ``condition()`` holds.

    Raises:
        PortError: it did not within ``timeout_s``; the board was not ``what``.
    """
    end = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() >= end:
            raise PortError(
                f"The board was not {what} within {timeout_s:g} s.",
                "Run the command again when you are at the board.",
            )
        time.sleep(0.2)
