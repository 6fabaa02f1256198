"""``rbnn license``: issue licences, put them on a board, revoke or transfer them, and show them."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rbnn.cli import license_list, license_transfer, options
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
from rbnn.errors import RbnnError

if TYPE_CHECKING:
    from rbnn.device.installing import InstalledLicence, ObeyedNotice
    from rbnn.keys.revocation import Notice

license_app = typer.Typer(no_args_is_help=True)


@license_app.callback()
def _license() -> None:
    """Issue licence files, put them on a board, revoke or transfer them, and show what was
    issued."""


@license_app.command("issue", cls=UserKeyCommand)
def issue(
    run: Annotated[
        Path | None, typer.Argument(help="Run folder or name; default: the newest.")
    ] = None,
    device: DeviceOption = None,
    tasks: options.LicensedTasksOption = None,
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
        int,
        typer.Option(
            "--limit",
            min=0,
            max=0xFFFFFFFF,
            help="Inferences with each licence; 0 for no limit.",
        ),
    ] = 0,
    activations: Annotated[
        int,
        typer.Option(
            "--activations",
            min=0,
            max=65535,
            help="How often each licence makes its task active; 0 for no limit.",
        ),
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
    from rbnn.device.enrolment import OTHER_FIRMWARE
    from rbnn.device.licensing import LicenceFiles, issue_licences
    from rbnn.export.export import Export
    from rbnn.keys.provider_key import load_provider_key
    from rbnn.keys.registry import Registry
    from rbnn.runs.run import choose_run
    from rbnn.tasks.names import split_names

    names = split_names(tasks)
    trained = choose_run(run, runs)
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
                activations,
                release_only=release_only,
            )
    rows: list[dict[str, Any]] = []
    for (task, licence), path in zip(issued.items(), files.paths, strict=True):
        row = {"task": task, "licence": licence.licence_id.hex(), "file": str(path)}
        rows.append({**row, "sequence": licence.sequence, "device": public.hex()})
        options.say(f"wrote {path}")
    if as_json:
        print(json.dumps({"licences": rows}, indent=2))
    elif name == OTHER_FIRMWARE:
        print("Bring them to the device, whose firmware gives them to rbnn_add_licence.")
    else:
        listed = shlex.join(row["file"] for row in rows)
        print(f"Put them on the board with: rbnn license install {listed} --board {name}")


@license_app.command("install")
def install(
    files: Annotated[
        list[Path], typer.Argument(help="Files that rbnn license issue or revoke wrote.")
    ],
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
    """Put licence files and notices of revocation on a board, over its serial line.

    If the board refuses one, what it took before is printed; with --json, together with the error.
    """
    from rbnn.device import installing
    from rbnn.keys.registry import Registry

    new, notices = installing.read_files(files)
    target = options.target(board, port, device_folder, emulated)
    obeyed: list[ObeyedNotice] = []
    installed: list[InstalledLicence] = []
    failed: dict[str, str] = {}

    def take(licences: Iterable[InstalledLicence]) -> None:
        for one in options.keep(licences, installed):
            if not as_json:
                lasts = "is in flash" if one.lasting else "lasts until the board's power goes off"
                print(f"{one.task}: licence {one.sequence} {lasts}", flush=True)

    try:
        if notices:
            with target.open() as session:
                for notice in options.keep(installing.obey(session, notices), obeyed):
                    if not as_json:
                        before = f"licences before {notice.accepts_from}"
                        print(f"{notice.task}: {before} are revoked, for good", flush=True)
        if keep and new:
            target.check()
            with Registry.open(registry, create=False) as known:
                take(installing.install_in_flash(target, known, new, options.say))
        elif new:
            with target.open() as session:
                take(installing.install(session, new))
    except RbnnError as error:
        failed = {"error": error.what, "try": error.fix}
        raise
    finally:
        if as_json and (obeyed or installed):
            rows = [one.model_dump(mode="json") for one in installed]
            gone = [one.model_dump(mode="json") for one in obeyed]
            document = {"board": board, "licences": rows, "revoked": gone, **failed}
            print(json.dumps(document, indent=2))
    if new and not keep:
        options.say("With --keep, it is written to flash.")


@license_app.command("revoke")
def revoke(
    task: Annotated[str, typer.Argument(help="Task whose licences are revoked.")],
    device: DeviceOption = None,
    out: Annotated[Path, typer.Option("--out", help="Folder for the notice.")] = Path("licences"),
    provider_key: Annotated[
        Path, typer.Option("--provider-key", help="Licence provider's key; it must exist.")
    ] = options.DEFAULT_PROVIDER_KEY,
    passphrase_file: PassphraseFileOption = None,
    registry: RegistryOption = options.DEFAULT_REGISTRY,
    as_json: JsonOption = False,
) -> None:
    """Write a notice that revokes all licences issued so far for a task on one device."""
    from rbnn.device.licensing import revoke_task
    from rbnn.files import write_atomic
    from rbnn.keys.provider_key import load_provider_key
    from rbnn.keys.registry import Registry

    provider = load_provider_key(provider_key, passphrase_file)
    path = out
    with Registry.open(registry, create=False) as known:
        found = known.find_device(device)

        def deliver(notice: Notice) -> None:
            nonlocal path
            path = out / f"{task}-{notice.notice_id.hex()[:8]}.revocation"
            write_atomic(path, notice.data, folder_option="--out")

        made = revoke_task(known, provider, bytes.fromhex(found.public), task, deliver)
    if as_json:
        row = {"task": task, "device": found.public, "accepts_from": made.sequence}
        print(json.dumps({"revoked": {**row, "file": str(path)}}, indent=2))
        return
    options.say(f"wrote {path}")
    say = f"rbnn license install {shlex.quote(str(path))} --board {found.board}"
    print(f"The device obeys it once it has it: {say}")


license_app.command("list")(license_list.list_licences)
license_app.command("show")(license_list.show)
license_app.command("transfer", cls=UserKeyCommand)(license_transfer.transfer)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(license_app, name="license")
