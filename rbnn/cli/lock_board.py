"""``rbnn lock-board``: turn on a chip's read-out protection."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from rbnn.cli import options
from rbnn.cli.options import BoardOption, PortOption

CONSEQUENCES = """\
Locking {board} at {port} closes its flash to debug probes:
- No probe can read the flash any more. On most chips it still reaches the RAM, with the
  active task.
- No probe can write it either: rbnn flash, rbnn enroll and license install --keep stop working.
- Opening it again is possible, and erases the whole flash: image, helper data, licences.
  The device must then be flashed, enrolled and licensed again."""


def lock_board(
    board: BoardOption = options.DEFAULT_BOARD,
    port: PortOption = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Do not ask: the consequences are known.")
    ] = False,
) -> None:
    """Close a real board's flash to debug probes, after a question that names the consequences."""
    from rbnn.errors import RbnnError

    target = options.target(board, port, None, False)
    target.check_lock()
    print(CONSEQUENCES.format(board=board, port=target.serial_path()), file=sys.stderr)
    if not yes:
        if not is_terminal():
            raise RbnnError("Nobody can answer the question here.", "Add --yes if you mean it.")
        typed = input(f"Type {board} to lock it: ")
        if typed.strip() != board:
            raise RbnnError(
                "The board was not locked.", f"To lock it, answer with its name: {board}"
            )
    target.lock()
    print(f"{board} is locked. rbnn board status --board {board} shows it.")


def is_terminal() -> bool:
    """Whether somebody can answer."""
    return sys.stdin.isatty()


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("lock-board")(lock_board)
