"""``rbnn console``: a local web page that shows a board, and tries it."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from rbnn.cli import options
from rbnn.cli.options import (
    BoardOption,
    DeviceFolderOption,
    EmulatedOption,
    JsonOption,
    PortOption,
    RunsOption,
    UserKeyOption,
)


def console(
    board: BoardOption = options.DEFAULT_BOARD,
    user_key: UserKeyOption = None,
    port: PortOption = None,
    device_folder: DeviceFolderOption = None,
    emulated: EmulatedOption = False,
    runs: RunsOption = options.DEFAULT_RUNS,
    http_port: Annotated[
        int,
        typer.Option(
            "--http-port",
            min=0,
            max=65535,
            help="Port of the page on 127.0.0.1; default: one that is free.",
            show_default=False,
        ),
    ] = 0,
    as_json: JsonOption = False,
) -> None:
    """Serve a local web page that shows a board, switches its tasks and classifies files.

    Only this machine can reach the page, and only with the address that is printed. The board is
    held until Ctrl-C. With --json, the address is printed as a JSON document.
    """
    from rbnn.console.board import HeldBoard
    from rbnn.console.serve import Console

    key = options.user_key_loader(user_key)
    if key is not None:
        key()  # read, or asked for, in the terminal and now
    held = HeldBoard(options.target(board, port, device_folder, emulated), key, runs)
    held.connect()
    try:
        serving = Console(held, http_port)
        if as_json:
            print(json.dumps({"board": board, "url": serving.url}, indent=2), flush=True)
        else:
            print(serving.url, flush=True)
            options.say("Open this address in a browser on this machine. Ctrl-C ends the console.")
        serving.serve_until_interrupted()
    finally:
        held.disconnect()
    options.say("The console has ended; other commands can use the board.")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("console", cls=options.UserKeyCommand)(console)
