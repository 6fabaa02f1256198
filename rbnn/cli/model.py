"""``rbnn model``: a model apart from the firmware."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from rbnn.cli import options
from rbnn.cli.options import (
    BoardOption,
    DeviceFolderOption,
    EmulatedOption,
    JsonOption,
    PortOption,
    ProviderKeyOption,
)


def load(
    model: Annotated[
        Path | None,
        typer.Argument(
            help="Run folder or name, or a signed model (export/ship/model.bin); default: the "
            "newest run. With --test-only: a packed model's folder."
        ),
    ] = None,
    board: BoardOption = options.DEFAULT_BOARD,
    port: PortOption = None,
    device_folder: DeviceFolderOption = None,
    emulated: EmulatedOption = False,
    provider_key: ProviderKeyOption = options.DEFAULT_PROVIDER_KEY,
    runs: options.RunsOption = options.DEFAULT_RUNS,
    replace: Annotated[
        bool,
        typer.Option(
            "--replace",
            help="Where there is no room for both, give the old model up before the new one is "
            "there.",
        ),
    ] = False,
    test_only: Annotated[
        bool,
        typer.Option("--test-only", help="Load a packed model; its keys are published."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Send a signed model to a board; it runs from the restart that follows."""
    from rbnn.device.model.loading import load_model
    from rbnn.device.source import find_source, read_signed
    from rbnn.tasks.loading_bar import LoadingBar

    target = options.target(board, port, device_folder, emulated)
    run = "RUN"
    if model is not None and model.is_file():
        signed = read_signed(model)
    else:
        source = find_source(
            model, runs=runs, provider_key=provider_key, test_only=test_only, say=options.say
        )
        run = shlex.quote(str(source.folder))
        signed = source.prepare_model(source.provider()).signed
    with LoadingBar() as bar:
        report = load_model(target, signed, options.say, bar.show, replace=replace)
    print(report.model_dump_json(indent=2) if as_json else report.summary(run))


def register(app: typer.Typer) -> None:
    """Add the command."""
    group = typer.Typer(
        help="Load a signed model into a board's model partition over the serial line.",
        no_args_is_help=True,
    )

    @group.callback()
    def _group() -> None:
        pass

    group.command("load")(load)
    app.add_typer(group, name="model")
