"""``rbnn export``: from a run to container, C arrays and golden vectors, checked."""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from rbnn.cli.options import DEFAULT_PROVIDER_KEY, DEFAULT_RUNS, JsonOption, output, say


def export(
    run: Annotated[
        Path | None, typer.Argument(help="Run folder or name; default: the newest.")
    ] = None,
    provider_key: Annotated[
        Path,
        typer.Option("--provider-key", help="Licence provider's key; only its .pub file is read."),
    ] = DEFAULT_PROVIDER_KEY,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder to write; default: RUN/export.")
    ] = None,
    verify: Annotated[
        bool,
        typer.Option(help="Compare C engine, integer reference and Keras on the test sets."),
    ] = True,
    board: Annotated[
        str | None,
        typer.Option(
            "--board", help="Refuse a model that does not fit in this board's flash and RAM."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Write a run's model container, C arrays and golden vectors."""
    from rich.console import Console

    from rbnn.export import checks as export_checks
    from rbnn.export.export import NO_PROVIDER, export_run
    from rbnn.export.report import check_table, size_table
    from rbnn.export.ship import FOLDER
    from rbnn.export.verify import require_passed, verify_run, warnings
    from rbnn.image.board import load_board
    from rbnn.image.fit import check_model
    from rbnn.keys.provider_key import load_provider_public
    from rbnn.runs.figures import unfinished
    from rbnn.runs.run import choose_run
    from rbnn.runs.start import load_data
    from rbnn.tasks.loading_bar import LoadingBar

    trained = choose_run(run, DEFAULT_RUNS)
    if note := unfinished(trained):
        say(note)
    provider = load_provider_public(provider_key)
    check = None if board is None else partial(check_model, load_board(board))
    with LoadingBar() as bar:
        result = export_run(trained, provider or NO_PROVIDER, out, bar.show, check=check)
    memory = None if check is None else check(result.container)
    checks = []
    if verify:
        with LoadingBar() as bar:
            data = load_data(trained.config(), bar.show)
            checks = verify_run(trained, result.container, data, bar.show)
        export_checks.record(result, checks)
    if as_json:
        document = {
            "run": str(trained.folder),
            "folder": str(result.folder),
            "ship": str(result.folder / FOLDER),
            "manifest": result.manifest.model_dump(mode="json"),
            "memory": None if memory is None else {**asdict(memory), "weights": memory.mode},
            "checks": [{**check.model_dump(), "passed": check.passed} for check in checks],
        }
        print(json.dumps(document, indent=2))
    else:
        console = output()
        console.print(size_table(result.manifest))
        if checks:
            console.print(check_table(checks))
        if memory is not None:
            console.print(
                f"RAM on {board}, bytes: activations {memory.arena:,}, tables and tiles "
                f"{memory.work:,}, task parameters {memory.params:,}, resident weights "
                f"{memory.resident:,}. Weights: {memory.mode}",
                soft_wrap=True,
            )
        console.print(f"Export: {result.folder}", soft_wrap=True)
        console.print(f"To pass on: {result.folder / FOLDER} and nothing else", soft_wrap=True)
    if provider is None:
        Console(stderr=True, highlight=False).print(
            f"No provider key {provider_key}: this export cannot be licensed. "
            "`rbnn flash` makes a key and exports again.",
            soft_wrap=True,
        )
    for line in warnings(checks):
        Console(stderr=True, highlight=False).print(line, soft_wrap=True, markup=False)
    require_passed(checks)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("export")(export)
