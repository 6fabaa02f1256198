"""From the options of a command to the board that they mean."""

from __future__ import annotations

from pathlib import Path

from rbnn.device.emulated.target import EmulatedTarget
from rbnn.device.errors import PortError
from rbnn.device.real_target import RealTarget
from rbnn.device.target import Say, Target
from rbnn.image.board import Board


def find_target(
    board: Board,
    *,
    port: str | None = None,
    folder: Path | None = None,
    emulated: bool = False,
    say: Say,
) -> Target:
    """The board that the options mean.

    Args:
        board: its manifest.
        port: serial port of a real board; found by USB ids where None.
        folder: an emulated board's folder; ``emulated/<board>`` where None.
        emulated: emulate a board that is real by its manifest.
        say: takes what the user must know or do meanwhile.

    Raises:
        PortError: the options contradict each other or the manifest.
    """
    if not (emulated or board.is_emulated_only):
        if folder is not None:
            raise PortError(
                f"Board {board.name!r} is real; it has no folder.",
                "Add --emulated, or leave --device-folder away.",
            )
        return RealTarget(board, port, say)
    if board.emulator is None:
        raise PortError(
            f"Board {board.name!r} cannot be emulated: its manifest names no QEMU machine.",
            "Choose another one, for instance --board qemu.",
        )
    if port is not None:
        raise PortError(
            f"Board {board.name!r} is emulated; it has no serial port of this machine.",
            "Leave --port away, or choose a real board.",
        )
    return EmulatedTarget(board, folder or Path("emulated") / board.name, say)
