"""``rbnn board``: power and reset of an emulated board, and what any board says about itself."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from rbnn.cli import options
from rbnn.cli.options import BoardOption, DeviceFolderOption, EmulatedOption, JsonOption, PortOption

EmulatedTooOption = Annotated[
    bool,
    typer.Option(
        "--emulated", help="Accepted as by other commands; this one has only emulated boards."
    ),
]


def on(
    board: BoardOption = options.DEFAULT_BOARD,
    device_folder: DeviceFolderOption = None,
    emulated: EmulatedTooOption = False,
    as_json: JsonOption = False,
) -> None:
    """Power an emulated board on."""
    target = options.emulated_target(board, device_folder)
    port = target.serial_path()
    _tell(as_json, f"{board} is on; its serial port is {port}", board=board, on=True, port=port)


def off(
    board: BoardOption = options.DEFAULT_BOARD,
    device_folder: DeviceFolderOption = None,
    emulated: EmulatedTooOption = False,
    as_json: JsonOption = False,
) -> None:
    """Power an emulated board off."""
    options.emulated_target(board, device_folder).power_off()
    _tell(as_json, f"{board} is off", board=board, on=False)


def cycle(
    board: BoardOption = options.DEFAULT_BOARD,
    device_folder: DeviceFolderOption = None,
    emulated: EmulatedTooOption = False,
    as_json: JsonOption = False,
) -> None:
    """Power an emulated board off and on again."""
    target = options.emulated_target(board, device_folder)
    target.power_cycle()
    port = target.serial_path()
    said = f"{board} was power-cycled; its serial port is {port}"
    _tell(as_json, said, board=board, on=True, port=port)


def reset(
    board: BoardOption = options.DEFAULT_BOARD,
    device_folder: DeviceFolderOption = None,
    emulated: EmulatedTooOption = False,
    as_json: JsonOption = False,
) -> None:
    """Press an emulated board's reset button; its power stays on."""
    options.emulated_target(board, device_folder).warm_reset()
    _tell(as_json, f"{board} was reset without losing power", board=board, on=True)


def _tell(as_json: bool, said: str, **document: str | bool) -> None:
    print(json.dumps(document, indent=2) if as_json else said)


def status(
    board: BoardOption = options.DEFAULT_BOARD,
    port: PortOption = None,
    device_folder: DeviceFolderOption = None,
    emulated: EmulatedOption = False,
    as_json: JsonOption = False,
) -> None:
    """Print a board's identity, tasks, licences and stack use; a board that is off stays off."""
    from rbnn.device.status import read_status

    found = read_status(options.target(board, port, device_folder, emulated))
    if as_json:
        print(found.model_dump_json(indent=2))
    else:
        options.output().print(found.table())


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Power, reset and state of a board.", no_args_is_help=True)
    for command in (on, off, cycle, reset, status):
        group.command(command.__name__)(command)
    app.add_typer(group, name="board")
