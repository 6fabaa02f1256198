"""``rbnn bench registry``: how long the registry takes when it is large."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from rbnn.cli import options
from rbnn.cli.options import JsonOption


def registry(
    places: Annotated[
        list[str] | None,
        typer.Option(
            "--registry",
            help="New file or URL of an empty database, which stays filled; may be repeated. "
            "Default: an SQLite file in the working folder, which is removed.",
        ),
    ] = None,
    devices: Annotated[int, typer.Option(min=1, help="Devices in the registry.")] = 100_000,
    licences: Annotated[int, typer.Option(min=1, help="Licences in it.")] = 1_000_000,
    operations: Annotated[int, typer.Option(min=1, help="How many to time of each kind.")] = 1000,
    output: Annotated[
        Path | None, typer.Option("--out", help="Also write the page in Markdown.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Time enrolling, issuing, looking up, revoking and transferring in a large registry."""
    from rbnn.bench.registry import measure, tables
    from rbnn.files import write_atomic

    found = [
        measure.bench_registry(place, devices, licences, operations, options.say)
        for place in places or (None,)
    ]
    if output is not None:
        write_atomic(output, tables.document(found, "make bench-registry"))
        options.say(f"Wrote {output}.")
    if as_json:
        print(json.dumps({"registries": [one.model_dump() for one in found]}, indent=2))
    else:
        for one in found:
            options.output().print(tables.table(one).rich())
    for line in tables.missed(found):
        options.say(f"missed: {line}")
