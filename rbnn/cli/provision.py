"""``rbnn provision``: a whole fleet, from a table with one line per board."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from rbnn.cli import options
from rbnn.cli.options import EmulatedOption, JsonOption, ProviderKeyOption, RegistryOption


def provision(
    run: Annotated[
        Path | None,
        typer.Argument(
            help="Run folder or name; default: the newest. With --test-only: a packed model's "
            "folder; default: the shipped seven-task model."
        ),
    ] = None,
    table: Annotated[
        Path | None,
        typer.Option(
            "--csv",
            metavar="FILE",
            help="One line per board; the heads are board,port,name,user_key,tasks.",
        ),
    ] = None,
    folder: Annotated[
        Path, typer.Option("--device-folders", help="Folder of the emulated boards' folders.")
    ] = Path("emulated"),
    emulated: EmulatedOption = False,
    registry: RegistryOption = options.DEFAULT_REGISTRY,
    provider_key: ProviderKeyOption = options.DEFAULT_PROVIDER_KEY,
    runs: options.RunsOption = options.DEFAULT_RUNS,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check every line; write and issue nothing.")
    ] = False,
    test_only: Annotated[
        bool,
        typer.Option("--test-only", help="Flash a packed model; its keys are published."),
    ] = False,
    partition: options.PartitionOption = False,
    as_json: JsonOption = False,
) -> None:
    """Enrol, license and flash every board of a table; a second call continues the first.

    A line that fails stops no other one; the command then fails at its end and lists them. What is
    done is kept beside the table, in FILE.state.json.
    """
    from rbnn.device.fleet import lines, progress
    from rbnn.device.fleet.provision import Fleet, failure
    from rbnn.device.fleet.tables import results_table
    from rbnn.device.source import find_source
    from rbnn.errors import RbnnError
    from rbnn.keys.registry import Registry

    if table is None:
        raise RbnnError("No table was named.", "Name it: rbnn provision --csv FILE")
    listed = lines.read_lines(table)
    source = find_source(
        run,
        runs=runs,
        provider_key=provider_key,
        test_only=test_only,
        say=options.say,
        partition=partition,
    )
    state = progress.state_file(table)
    done = progress.read_progress(state, str(source.folder))
    fleet = Fleet(source, folder, state, done, options.say, options.pause, emulated)
    if dry_run:
        results = fleet.rehearse(listed)
    else:
        with Registry.open(registry) as book:
            results = fleet.provision(listed, book)
    if as_json:
        print(json.dumps({"lines": [one.model_dump() for one in results]}, indent=2))
    else:
        options.output().print(results_table(results).rich())
    if error := failure(results):
        raise error


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("provision")(provision)
