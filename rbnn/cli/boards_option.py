"""``--boards DIR``, which every command has that takes a board: given here, so none lacks it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from rbnn.image.defaults import BOARDS_VARIABLE

TAKERS = {"boards", "doctor", "provision"}
"""Commands that take boards in another way than by ``--board``."""


def _use(context: typer.Context, folder: Path | None) -> None:
    """Name the folder for as long as the command runs."""
    if folder is None:
        return
    before = os.environ.get(BOARDS_VARIABLE)
    os.environ[BOARDS_VARIABLE] = str(folder.absolute())

    def restore() -> None:
        if before is None:
            del os.environ[BOARDS_VARIABLE]
        else:
            os.environ[BOARDS_VARIABLE] = before

    context.call_on_close(restore)


def _bearer(
    boards: Annotated[
        Path | None,
        typer.Option(
            "--boards",
            metavar="DIR",
            help=f"Folder of your own boards, DIR/NAME/board.json; default: ${BOARDS_VARIABLE}.",
            callback=_use,
            is_eager=True,
            expose_value=False,
        ),
    ] = None,
) -> None:
    """Bears the option, to be taken from it."""


def add(command: Any) -> None:
    """Give the option to a command that takes a board, or to such commands of a group."""
    for one in getattr(command, "commands", {}).values():
        add(one)
    names = {parameter.name for parameter in command.params}
    if command.name in TAKERS or "board" in names:
        application = typer.Typer(add_completion=False)
        application.command()(_bearer)
        command.params += typer.main.get_command(application).params
