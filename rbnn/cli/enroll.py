"""``rbnn enroll``: a device's fingerprint becomes a registry entry."""

from __future__ import annotations

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
    RegistryOption,
)


def enroll(
    run: Annotated[
        Path | None,
        typer.Argument(
            help="Write its firmware first; default: the newest run, if the board is blank."
        ),
    ] = None,
    board: BoardOption = options.DEFAULT_BOARD,
    again: Annotated[
        bool,
        typer.Option("--again", help="Enrol as a new device; its licences are lost."),
    ] = False,
    name: options.DeviceNameOption = None,
    port: PortOption = None,
    device_folder: DeviceFolderOption = None,
    emulated: EmulatedOption = False,
    registry: RegistryOption = options.DEFAULT_REGISTRY,
    provider_key: ProviderKeyOption = options.DEFAULT_PROVIDER_KEY,
    runs: options.RunsOption = options.DEFAULT_RUNS,
    as_json: JsonOption = False,
) -> None:
    """Make helper data and keys on the device and add it to the registry."""
    from rbnn.device import deploy, enrolment
    from rbnn.export.checks import require_checked
    from rbnn.keys import registry as registries
    from rbnn.keys.provider_key import ensure_provider
    from rbnn.runs.run import choose_run

    target = options.target(board, port, device_folder, emulated)
    target.check()
    with registries.Registry.open(registry) as book:
        if run is not None or target.is_blank():
            chosen = choose_run(run, runs)
            provider = ensure_provider(provider_key, say=options.say)
            prepared = deploy.prepare(chosen, target, provider.public, options.say, require_checked)
            deploy.write_firmware(prepared, target, options.say)
        report = enrolment.enroll(target, book, options.say, again=again, name=name)
    if as_json:
        print(report.model_dump_json(indent=2))
    else:
        print(report.summary())


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("enroll")(enroll)
