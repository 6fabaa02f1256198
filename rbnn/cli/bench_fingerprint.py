"""``rbnn bench fingerprint``: entropy and reliability of the secure sketch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rbnn.cli import options
from rbnn.cli.options import JsonOption


def fingerprint(
    readouts: Annotated[
        Path | None,
        typer.Option(
            help="Power-up patterns of real boards: npz of uint8 arrays, names BOARD_READING."
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", help="Also write the page in Markdown.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Compute what the fingerprint leaves unknown at every bias, and try to guess real ones."""
    from rbnn.bench.fingerprint import measure as bench
    from rbnn.bench.fingerprint import tables
    from rbnn.files import write_atomic

    figures = bench.measure(readouts)
    if output is not None:
        write_atomic(output, tables.document(figures))
    if as_json:
        print(figures.model_dump_json(indent=2))
        return
    options.output().print(tables.bias_table(figures).rich())
    if figures.boards:
        options.output().print(tables.board_table(figures).rich())
    if figures.masks:
        options.output().print(tables.mask_table(figures).rich())
    if output is not None:
        options.say(f"Wrote {output}.")
