"""From the options of a command to the board that they select."""

from __future__ import annotations

from pathlib import Path

from rbnn.device.errors import PortError
from rbnn.device.target import Say, Target
from rbnn.image.board import Board
from rbnn.image.defaults import DEFAULT_BOARD


def find_target(
    board: Board,
    *,
    port: str | None = None,
    folder: Path | None = None,
    emulated: bool = False,
    say: Say,
) -> Target:
    """The board that the options select.

    Args:
        board: its manifest.
        port: serial port of a real board; None to find it by USB ids.
        folder: an emulated board's folder; None for ``emulated/<board>``.
        emulated: emulate the board instead of using a real one.
        say: told what the user must know or do.

    Raises:
        PortError: the options contradict each other or the manifest.
    """
    if not (emulated or board.is_emulated_only):
        if folder is not None:
            raise PortError(
                f"Board {board.name!r} is real; it has no folder.",
                "Add --emulated, or omit --device-folder.",
            )
        from rbnn.device.real_target import RealTarget

        return RealTarget(board, port, say)
    if board.emulator is None:
        raise PortError(
            f"Board {board.name!r} cannot be emulated: its manifest names no QEMU machine.",
            f"Choose another board, such as --board {DEFAULT_BOARD}.",
        )
    if port is not None:
        raise PortError(
            f"Board {board.name!r} is emulated; it has no serial port on this machine.",
            "Omit --port, or choose a real board.",
        )
    from rbnn.device.emulated.target import EmulatedTarget

    return EmulatedTarget(board, folder or Path("emulated") / board.name, say)
