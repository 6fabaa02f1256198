"""``rbnn profile``: where a task's inference spends its time on the board."""

from __future__ import annotations

from pathlib import Path
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


def profile(
    task: Annotated[str, typer.Option("--task", help="Name of the task.")],
    board: BoardOption = options.DEFAULT_BOARD,
    user_key: UserKeyOption = None,
    run: Annotated[
        Path | None,
        typer.Option("--run", help="The run that was flashed; adds the counts per MAC."),
    ] = None,
    port: PortOption = None,
    device_folder: DeviceFolderOption = None,
    emulated: EmulatedOption = False,
    as_json: JsonOption = False,
) -> None:
    """Run one inference of a task on the board; print instructions or cycles per layer."""
    from rbnn.device.emulated.target import EmulatedTarget
    from rbnn.device.profile import profile_task
    from rbnn.device.profile_chart import profile_chart
    from rbnn.runs.run import choose_run

    target = options.target(board, port, device_folder, emulated)
    found = profile_task(
        target,
        task,
        options.user_key_loader(user_key),
        None if run is None else choose_run(run, options.DEFAULT_RUNS),
        emulated=isinstance(target, EmulatedTarget),
    )
    print(found.model_dump_json(indent=2) if as_json else profile_chart(found))


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("profile", cls=options.UserKeyCommand)(profile)
