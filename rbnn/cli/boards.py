"""``rbnn boards``: the boards known here."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from rbnn.cli import options
from rbnn.cli.options import JsonOption


def boards(
    fit: Annotated[
        bool, typer.Option(help="Search the largest network that fits each board.")
    ] = True,
    as_json: JsonOption = False,
) -> None:
    """List the boards known here: memory, largest network that fits, and which are connected."""
    from rbnn.device.machine.overview import overview, table

    lines = list(overview(fit=fit))
    if as_json:
        print(json.dumps({"boards": [line.model_dump() for line in lines]}, indent=2))
    else:
        console = options.output()
        console.print(table(lines))
        console.print(
            "flash KB: for the image, without what the board keeps for keys and counts. "
            "largest network: the one with most bits that `rbnn nets` tries, for seven tasks. "
            "connected: USB ids, serial number and serial port of a probe; boards of one maker may "
            "share the ids."
        )


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("boards")(boards)
