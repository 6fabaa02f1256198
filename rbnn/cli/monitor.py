"""``rbnn monitor``: type the serial commands by hand."""

from __future__ import annotations

import typer

from rbnn.cli import options
from rbnn.cli.options import BoardOption, DeviceFolderOption, EmulatedOption, PortOption


def monitor(
    board: BoardOption = options.DEFAULT_BOARD,
    port: PortOption = None,
    device_folder: DeviceFolderOption = None,
    emulated: EmulatedOption = False,
) -> None:
    """Open a terminal on the board, or send the commands that are piped in."""
    import sys

    from rbnn.device import terminal

    target = options.target(board, port, device_folder, emulated)
    with target.open() as session:
        if sys.stdin.isatty():
            terminal.run_interactive(session.line)
        else:
            piped = sys.stdin.fileno()
            with open(piped, errors="surrogateescape", closefd=False) as script:
                terminal.run_script(session.line, script, print)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("monitor")(monitor)
