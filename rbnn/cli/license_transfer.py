"""``rbnn license transfer``: a licence moves from one device to another."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from rbnn.cli import options
from rbnn.cli.options import (
    BoardOption,
    DeviceFolderOption,
    EmulatedOption,
    JsonOption,
    PassphraseFileOption,
    PortOption,
    RegistryOption,
)


def transfer(
    number: Annotated[
        str,
        typer.Argument(metavar="LICENCE", help="First hex digits of its number: rbnn license list"),
    ],
    to: Annotated[
        str,
        typer.Option("--to", help="The device that gets it: its name, or first hex digits."),
    ],
    run: Annotated[
        Path | None, typer.Option("--run", help="Run of its model; default: the newest.")
    ] = None,
    user_key: Annotated[
        str,
        typer.Option(
            options.USER_KEY,
            metavar="[PATH]",
            show_default=False,
            help="Key of its user, or - for standard input; without a value, keys/user.key or a "
            "prompt.",
        ),
    ] = options.NO_VALUE,
    board: BoardOption = options.DEFAULT_BOARD,
    port: PortOption = None,
    device_folder: DeviceFolderOption = None,
    emulated: EmulatedOption = False,
    out: Annotated[Path, typer.Option("--out", help="Folder for receipt and licence file.")] = Path(
        "licences"
    ),
    provider_key: Annotated[
        Path, typer.Option("--provider-key", help="Licence provider's key; it must exist.")
    ] = options.DEFAULT_PROVIDER_KEY,
    passphrase_file: PassphraseFileOption = None,
    registry: RegistryOption = options.DEFAULT_REGISTRY,
    runs: options.RunsOption = options.DEFAULT_RUNS,
    as_json: JsonOption = False,
) -> None:
    """Have a board give up a licence for good, and issue it for another device."""
    from rbnn.device.identity import transfer as transfers
    from rbnn.device.licensing import LicenceFiles
    from rbnn.export.export import Export
    from rbnn.keys.provider_key import load_provider_key
    from rbnn.keys.registry import Registry
    from rbnn.runs.run import choose_run

    trained = choose_run(run, runs)
    container = Export.read(trained.export_folder).container
    provider = load_provider_key(provider_key, passphrase_file)
    user = options.load_user_key(user_key)
    with Registry.open(registry, create=False) as known:
        old = known.find_licence(number)
        new_device = known.find_device(to)
        public = bytes.fromhex(new_device.public)
        transfers.check(known, old, public, container, provider, user)
        secret = trained.secrets()[old.task_name]
        target = options.target(board, port, device_folder, emulated)
        receipt_file = out / f"{old.task_name}-{old.licence_id[:8]}.receipt"
        receipt = transfers.receipt_for(target, known, old, user, receipt_file, options.say)
        with LicenceFiles(out) as files:
            made = transfers.issue_successor(
                *(known, old, public, receipt, container, secret, provider, user, files.write)
            )
    (path,) = files.paths
    if as_json:
        row = {
            "task": old.task_name,
            "closed": old.licence_id,
            "licence": made.licence_id.hex(),
            "sequence": made.sequence,
            "device": new_device.public,
            "receipt": str(receipt_file),
            "file": str(path),
        }
        print(json.dumps({"transferred": row}, indent=2))
        return
    options.say(f"wrote {receipt_file} and {path}")
    print(f"The board gave up {old.task_name} for good. Put the new licence on the other one with:")
    print(f"rbnn license install {path} --board {new_device.board}")
