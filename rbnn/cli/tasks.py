"""``rbnn tasks``: the known tasks, or the contents of the named ones."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from rbnn.cli import options
from rbnn.cli.options import JsonOption, output

if TYPE_CHECKING:
    from rbnn.runs.settings import Settings


def tasks(
    names: Annotated[
        list[str] | None,
        typer.Argument(help="Tasks to load and count, such as: digits mine=path/to/folder"),
    ] = None,
    shape: Annotated[
        str | None,
        typer.Option("--input", help="Height, width and channels of the samples, such as 96x96x3."),
    ] = None,
    windows: Annotated[
        list[str] | None, typer.Option("--window", help="NAME=STEPS, as rbnn train takes it.")
    ] = None,
    hops: Annotated[
        list[str] | None, typer.Option("--hop", help="NAME=STEPS, as rbnn train takes it.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List the known tasks; with names, load those and count their samples."""
    if names:
        from rbnn.runs.settings import TABLE, Settings

        typed = {"windows": windows or [], "hops": hops or []}
        read = {name: TABLE[name].read(texts) for name, texts in typed.items()}
        _print_loaded(",".join(names), Settings(input=shape, **read), as_json)
    else:
        given = {"--input": shape, "--window": windows or None, "--hop": hops or None}
        options.refuse_without("the name of a task", given)
        _print_known(as_json)


def _print_known(as_json: bool) -> None:
    from rich.table import Table

    from rbnn.tasks.overview import overview

    rows = overview()
    if as_json:
        print(json.dumps({"tasks": [asdict(row) for row in rows]}, indent=2))
        return
    table = Table("task", "data", "ready")
    table.add_column("where", overflow="fold")
    for row in rows:
        table.add_row(row.name, row.about, "yes" if row.ready else "no", row.where)
    output().print(table)


def _print_loaded(names: str, settings: Settings, as_json: bool) -> None:
    from rich.table import Table

    from rbnn.runs.start import check_names
    from rbnn.tasks import parse_specs
    from rbnn.tasks.load import load
    from rbnn.tasks.loading_bar import LoadingBar
    from rbnn.tasks.overlap import overlap_warnings
    from rbnn.tasks.overview import describe, describe_inputs

    specs = parse_specs(names)
    check_names(settings, [one.name for one in specs])
    with LoadingBar() as bar:
        loaded = [load(one, form=settings.form(one.name), progress=bar.show) for one in specs]
    if as_json:
        print(json.dumps({"tasks": [describe(data) for data in loaded]}, indent=2))
        return
    console = output()
    table = Table("task", "kind", "input", "classes", "train", "test")
    for data in loaded:
        size = "x".join(map(str, (*data.sides, data.channels)))
        figures = (size, len(data.labels), len(data.train), len(data.test))
        table.add_row(data.name, data.kind, *(str(figure) for figure in figures))
    console.print(table)
    for data in loaded:
        console.print(
            f"{data.name}: {describe_inputs(data)}; {', '.join(data.labels)}; {data.origin}"
        )
    for warning in overlap_warnings(loaded):
        console.print(warning)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("tasks")(tasks)
