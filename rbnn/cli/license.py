"""``rbnn license``: issue licence files, and list what was issued."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from rbnn.cli import options
from rbnn.cli.options import (
    JsonOption,
    PassphraseFileOption,
    ProviderKeyOption,
    RegistryOption,
    RunsOption,
    UserKeyCommand,
    UserKeyOption,
)

DeviceOption = Annotated[
    str | None,
    typer.Option("--device", help="First hex digits of a device's public key; see rbnn devices."),
]
license_app = typer.Typer(no_args_is_help=True)


@license_app.callback()
def _license() -> None:
    """Issue licence files, and list what was issued."""


@license_app.command("issue", cls=UserKeyCommand)
def issue(
    run: Annotated[
        Path | None, typer.Argument(help="Run folder or name; default: the newest.")
    ] = None,
    device: DeviceOption = None,
    tasks: Annotated[
        list[str] | None,
        typer.Option("--task", help="Task to license; may be repeated. Default: all."),
    ] = None,
    user_key: UserKeyOption = options.NO_VALUE,
    limit: Annotated[
        int, typer.Option("--limit", min=0, help="Inferences per activation; 0 for no limit.")
    ] = 0,
    out: Annotated[Path, typer.Option("--out", help="Folder for the licence files.")] = Path(
        "licences"
    ),
    provider_key: ProviderKeyOption = options.DEFAULT_PROVIDER_KEY,
    passphrase_file: PassphraseFileOption = None,
    registry: RegistryOption = options.DEFAULT_REGISTRY,
    runs: RunsOption = options.DEFAULT_RUNS,
    as_json: JsonOption = False,
) -> None:
    """Issue a licence file for each task, for one enrolled device and one user."""
    from rbnn.device.licensing import issue_licences
    from rbnn.export.export import Export
    from rbnn.files import write_atomic
    from rbnn.keys.provider_key import load_provider_key
    from rbnn.keys.registry import Registry
    from rbnn.runs.run import choose_run

    trained = choose_run(run, runs)
    container = Export.read(trained.export_folder).container
    provider = load_provider_key(provider_key, passphrase_file)
    user = options.load_user_key(user_key)
    with Registry.open(registry, create=False) as known:
        public = bytes.fromhex(known.find_device(device).public)
        issued = issue_licences(
            container, trained.secrets(), provider, public, user, known, tasks or (), limit
        )
    rows = []
    for task, licence in issued.items():
        path = out / f"{task}-{licence.licence_id.hex()[:8]}.licence"
        write_atomic(path, licence.data)
        row = {"task": task, "licence": licence.licence_id.hex(), "file": str(path)}
        rows.append({**row, "sequence": licence.sequence, "device": public.hex()})
        options.say(f"wrote {path}")
    if as_json:
        print(json.dumps({"licences": rows}, indent=2))


@license_app.command("list")
def list_licences(
    device: DeviceOption = None,
    registry: RegistryOption = options.DEFAULT_REGISTRY,
    as_json: JsonOption = False,
) -> None:
    """List the licences issued for one device or for all."""
    from rich.table import Table

    from rbnn.keys.registry import Registry

    with Registry.open(registry, create=False) as known:
        public = None if device is None else bytes.fromhex(known.find_device(device).public)
        found = known.licences(public)
    if as_json:
        rows = [
            {
                "licence": one.licence_id,
                "device": one.device,
                "sequence": one.sequence,
                "model": one.model_id,
                "task": one.task_name,
                "user": one.user,
                "inference_limit": one.inference_limit,
                "issued_at": one.issued_at,
            }
            for one in found
        ]
        print(json.dumps({"licences": rows}, indent=2))
        return
    table = Table("device", "no.", "task", "user", "limit", "issued", "licence")
    for one in found:
        limit = str(one.inference_limit or "none")
        table.add_row(
            one.device[:16],
            str(one.sequence),
            one.task_name,
            one.user,
            limit,
            one.issued_at,
            one.licence_id[:16],
        )
    options.output().print(table)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(license_app, name="license")
