"""``rbnn doctor``: whether this machine has what rbnn needs."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from rbnn.cli import options
from rbnn.cli.options import JsonOption


def doctor(
    board: Annotated[
        str | None,
        typer.Option("--board", help="Also what this board needs; default: emulated boards."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Check what rbnn needs on this machine, and name the command that fixes it.

    The exit code is 1 if something needed is missing.
    """
    from rbnn.device.machine.doctor import examine, fixes, table
    from rbnn.errors import ExitCode

    found = examine(board)
    failed = [one.name for one in found if one.fails]
    if as_json:
        rows = [one.model_dump() for one in found]
        print(json.dumps({"board": board, "missing": failed, "checks": rows}, indent=2))
    else:
        console = options.output()
        console.print(table(found))
        for line in fixes(found):
            console.print(line, soft_wrap=True)
        console.print(
            f"Missing: {', '.join(failed)}." if failed else "Nothing that is needed is missing."
        )
    if failed:
        raise typer.Exit(ExitCode.REFUSED)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("doctor")(doctor)
