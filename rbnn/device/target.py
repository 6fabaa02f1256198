"""A board that can be written, power-cycled and talked to, whether real or emulated."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from rbnn.device.errors import PortError
from rbnn.device.session import Session

if TYPE_CHECKING:
    from rbnn.image.board import Board, Emulation
    from rbnn.image.platformio import BuildResult

Say = Callable[[str], None]
"""Called with one line for the user to read."""


class Target(ABC):
    """A board, real or emulated.

    Args:
        board: its manifest.
    """

    def __init__(self, board: Board) -> None:
        self.board = board

    @property
    def emulation(self) -> Emulation | None:
        """How it is emulated; None for a real board."""
        return None

    @abstractmethod
    def check(self) -> None:
        """Fail early, before anything is built, if the board cannot be reached at all.

        Raises:
            RbnnError: no port, two ports, or a folder of another board.
        """

    @abstractmethod
    def is_blank(self) -> bool:
        """Whether it is known to have no firmware."""

    @abstractmethod
    def is_on(self) -> bool:
        """Whether it has power, as far as this machine can tell."""

    @abstractmethod
    def write_firmware(self, build: BuildResult, model: Path | None) -> None:
        """Replace the firmware. ``model`` is the folder that ``build`` was made from."""

    @abstractmethod
    def write_provisioning(self, partition: bytes) -> None:
        """Replace the provisioning partition."""

    @abstractmethod
    def write_model(self, model: bytes) -> None:
        """Replace the partition of the model, all of it: header and container, then erased flash.

        Raises:
            RbnnError: the board has none, or it is too small.
        """

    @abstractmethod
    def erase_provisioning(self) -> None:
        """Erase the provisioning partition."""

    def check_lock(self) -> None:
        """Fail early if :meth:`lock` cannot work.

        Raises:
            RbnnError: there is no such protection, or no such board.
        """
        raise PortError(
            f"Board {self.board.name!r} is emulated here; it has no read-out protection.",
            "Name a real board: `rbnn boards` lists them.",
        )

    def lock(self) -> None:
        """Close the flash to debug probes.

        Raises:
            RbnnError: as :meth:`check_lock`, or the probe fails.
        """
        self.check_lock()

    @abstractmethod
    def power_cycle(self) -> None:
        """Switch the power off and on; the firmware runs afterwards."""

    @abstractmethod
    def serial_path(self) -> str:
        """The port of the running board."""

    @abstractmethod
    def commands(
        self, model: Path | None, partition: bytes | None = None, program: bool = True
    ) -> list[str]:
        """The commands that write the board, as lines for a shell.

        Args:
            model: the folder that the firmware is built from.
            partition: the key of a build whose model has a partition of its own.
            program: whether the firmware is written.
        """

    def open(self) -> Session:
        """Start talking to it.

        Raises:
            PortError: no port, or another board answers there.
            LinkError: nothing answers.
        """
        session = Session(self.serial_path(), self.emulation)
        if session.board_name != self.board.name:
            session.close()
            raise PortError(
                f"{session.line.path} is a board {session.board_name!r}, not {self.board.name!r}.",
                f"Name the right port with --port, or use --board {session.board_name}.",
            )
        return session
