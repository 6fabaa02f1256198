"""``rbnn infer``: classify files with the board's active task."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rbnn.cli import options
from rbnn.cli.options import (
    BoardOption,
    DeviceFolderOption,
    EmulatedOption,
    JsonOption,
    PortOption,
    RunsOption,
)

if TYPE_CHECKING:
    from rbnn.device.inference import FileInference


def infer(
    files: Annotated[list[Path], typer.Argument(help="PNG, JPEG, WAV, CSV or NPY files.")],
    board: BoardOption = options.DEFAULT_BOARD,
    port: PortOption = None,
    device_folder: DeviceFolderOption = None,
    emulated: EmulatedOption = False,
    runs: RunsOption = options.DEFAULT_RUNS,
    as_json: JsonOption = False,
) -> None:
    """Print label, scores and duration of each file; of a sensor series, of each window.

    If the board fails, what it answered before is printed; with --json, together with the error.
    """
    import json

    from rbnn.device.inference import infer_files, listing
    from rbnn.errors import RbnnError

    found: list[FileInference] = []
    failed: dict[str, str] = {}
    target = options.target(board, port, device_folder, emulated)
    try:
        with target.open() as session:
            answers = options.keep(infer_files(session, files, runs, options.say), found)
            for line in listing(files, answers):
                if not as_json:
                    print(line, flush=True)
    except RbnnError as error:
        if found:
            error.what += f" {len(found)} of {len(files)} files were answered; see the output."
        failed = {"error": error.what, "try": error.fix}
        raise
    finally:
        if as_json and found:
            inputs = [one.model_dump(mode="json", exclude={"task"}) for one in found]
            print(json.dumps({"task": found[0].task, "inputs": inputs, **failed}, indent=2))


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("infer")(infer)
