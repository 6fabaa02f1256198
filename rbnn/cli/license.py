"""``rbnn license``: issue licence files, put them on a board, and show what was issued."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Annotated, Any

import typer

from rbnn.cli import license_list, options
from rbnn.cli.license_list import DeviceOption
from rbnn.cli.options import (
    BoardOption,
    DeviceFolderOption,
    EmulatedOption,
    JsonOption,
    PassphraseFileOption,
    PortOption,
    RegistryOption,
    RunsOption,
    UserKeyCommand,
)

license_app = typer.Typer(no_args_is_help=True)


@license_app.callback()
def _license() -> None:
    """Issue licence files, put them on a board, and show what was issued."""


@license_app.command("issue", cls=UserKeyCommand)
def issue(
    run: Annotated[
        Path | None, typer.Argument(help="Run folder or name; default: the newest.")
    ] = None,
    device: DeviceOption = None,
    tasks: Annotated[
        str, typer.Option("--tasks", help="Tasks to license, such as digits,words; default: all.")
    ] = "",
    user_key: Annotated[
        str,
        typer.Option(
            options.USER_KEY,
            metavar="[PATH]",
            show_default=False,
            help="Key file, or - for standard input; without a value, keys/user.key or a prompt.",
        ),
    ] = options.NO_VALUE,
    limit: Annotated[
        int, typer.Option("--limit", min=0, help="Inferences per activation; 0 for no limit.")
    ] = 0,
    out: Annotated[Path, typer.Option("--out", help="Folder for the licence files.")] = Path(
        "licences"
    ),
    provider_key: Annotated[
        Path, typer.Option("--provider-key", help="Licence provider's key; it must exist.")
    ] = options.DEFAULT_PROVIDER_KEY,
    passphrase_file: PassphraseFileOption = None,
    registry: RegistryOption = options.DEFAULT_REGISTRY,
    runs: RunsOption = options.DEFAULT_RUNS,
    release_only: options.ReleaseOnlyOption = False,
    as_json: JsonOption = False,
) -> None:
    """Issue a licence file for each task, for one enrolled device and one user."""
    from rbnn.device.licensing import LicenceFiles, issue_licences
    from rbnn.export.export import Export
    from rbnn.keys.provider_key import load_provider_key
    from rbnn.keys.registry import Registry
    from rbnn.runs.run import choose_run

    trained = choose_run(run, runs)
    names = [name for name in tasks.split(",") if name]
    container = Export.read(trained.export_folder).container
    provider = load_provider_key(provider_key, passphrase_file)
    user = options.load_user_key(user_key)
    with Registry.open(registry, create=False) as known:
        found = known.find_device(device)
        public, name = bytes.fromhex(found.public), found.board
        with LicenceFiles(out) as files:
            issued = issue_licences(
                container,
                trained.secrets(),
                provider,
                public,
                user,
                known,
                names,
                limit,
                files.write,
                release_only=release_only,
            )
    rows: list[dict[str, Any]] = []
    for (task, licence), path in zip(issued.items(), files.paths, strict=True):
        row = {"task": task, "licence": licence.licence_id.hex(), "file": str(path)}
        rows.append({**row, "sequence": licence.sequence, "device": public.hex()})
        options.say(f"wrote {path}")
    if as_json:
        print(json.dumps({"licences": rows}, indent=2))
    else:
        listed = shlex.join(row["file"] for row in rows)
        print(f"Put them on the board with: rbnn license install {listed} --board {name}")


@license_app.command("install")
def install(
    files: Annotated[list[Path], typer.Argument(help="Files that rbnn license issue wrote.")],
    board: BoardOption = options.DEFAULT_BOARD,
    port: PortOption = None,
    device_folder: DeviceFolderOption = None,
    emulated: EmulatedOption = False,
    keep: Annotated[
        bool,
        typer.Option(
            "--keep",
            help="Write them to flash, with the licences of other tasks; needs the registry. "
            "Default: the board keeps them until its power goes off.",
        ),
    ] = False,
    registry: RegistryOption = options.DEFAULT_REGISTRY,
    as_json: JsonOption = False,
) -> None:
    """Put licence files on a board, over its serial line."""
    from rbnn.device import installing
    from rbnn.keys.registry import Registry

    new = installing.read_licences(files)
    target = options.target(board, port, device_folder, emulated)
    if keep:
        target.check()
        with Registry.open(registry, create=False) as known:
            installed = installing.install_in_flash(target, known, new)
    else:
        with target.open() as session:
            installed = installing.install(session, new)
    if as_json:
        rows = [one.model_dump(mode="json") for one in installed]
        print(json.dumps({"board": board, "licences": rows}, indent=2))
        return
    for one in installed:
        lasts = "is in flash" if one.lasting else "lasts until the board's power goes off"
        print(f"{one.task}: licence {one.sequence} {lasts}")
    if not keep:
        options.say("With --keep, it is written to flash.")


license_app.command("list")(license_list.list_licences)
license_app.command("show")(license_list.show)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(license_app, name="license")
