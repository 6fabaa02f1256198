"""``rbnn switch``: unlock a task with the user's key and make it the active one."""

from __future__ import annotations

from typing import Annotated

import typer

from rbnn.cli import options
from rbnn.cli.options import (
    BoardOption,
    DeviceFolderOption,
    EmulatedOption,
    JsonOption,
    PortOption,
    UserKeyOption,
)


def switch(
    task: Annotated[str, typer.Argument(help="Name of the task.")],
    board: BoardOption = options.DEFAULT_BOARD,
    user_key: UserKeyOption = None,
    port: PortOption = None,
    device_folder: DeviceFolderOption = None,
    emulated: EmulatedOption = False,
    as_json: JsonOption = False,
) -> None:
    """Make TASK the board's active task; a locked one needs the user key."""
    from rbnn.device.switching import switch_task

    target = options.target(board, port, device_folder, emulated)
    with target.open() as session:
        switched = switch_task(session, task, options.user_key_loader(user_key))
    if as_json:
        print(switched.model_dump_json(indent=2))
    else:
        how = "active"
        if switched.unlocked_now:
            how = "unlocked and active"
        elif switched.key_checked:
            how = "active; it was unlocked before, and the key fits"
        print(f"{task} is {how}; the switch took {switched.took}.")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("switch", cls=options.UserKeyCommand)(switch)
