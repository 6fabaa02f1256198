"""``rbnn infer``: classify files with the board's active task."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rbnn.cli import options
from rbnn.cli.options import BoardOption, DeviceFolderOption, EmulatedOption, JsonOption, PortOption


def infer(
    files: Annotated[list[Path], typer.Argument(help="PNG, JPEG or WAV files.")],
    board: BoardOption = options.DEFAULT_BOARD,
    port: PortOption = None,
    device_folder: DeviceFolderOption = None,
    emulated: EmulatedOption = False,
    as_json: JsonOption = False,
) -> None:
    """Print label, scores and time of each file."""
    import json

    from rbnn.device.inference import infer_files, table

    target = options.target(board, port, device_folder, emulated)
    with target.open() as session:
        found = infer_files(session, files)
    if as_json:
        print(json.dumps([one.model_dump(mode="json") for one in found], indent=2))
    else:
        options.output().print(table(found))


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("infer")(infer)
