"""``rbnn devices``: the registry's devices, those with other firmware, their proof of identity, and
the audit log."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from rbnn.cli import options
from rbnn.cli.options import (
    DEFAULT_REGISTRY,
    BoardOption,
    DeviceFolderOption,
    EmulatedOption,
    JsonOption,
    PortOption,
    RegistryOption,
    output,
)

devices = typer.Typer(invoke_without_command=True)


@devices.callback()
def list_devices(
    context: typer.Context, registry: RegistryOption = DEFAULT_REGISTRY, as_json: JsonOption = False
) -> None:
    """List the enrolled devices; `add` adds one with other firmware, `check` has a board prove
    which one it is, `audit` checks the registry's log."""
    if context.invoked_subcommand is not None:
        return
    from rich.table import Table

    from rbnn.keys.registry import Registry

    with Registry.open(registry, create=False) as known:
        found = known.devices()
    if as_json:
        rows = [
            {
                "public": one.public,
                "name": one.name,
                "sign_public": one.sign_public,
                "sign_pin": one.sign_pin,
                "board": one.board,
                "enrolled_at": one.enrolled_at,
            }
            for one in found
        ]
        print(json.dumps({"devices": rows}, indent=2))
        return
    table = Table("public key", "name", "board", "enrolled")
    for one in found:
        table.add_row(one.public, one.name, one.board, one.enrolled_at)
    output().print(table)


@devices.command("add")
def add(
    partition: Annotated[Path, typer.Argument(help="File with what rbnn_enroll made.")],
    public: Annotated[str, typer.Option("--public", help="The device's public key, 64 digits.")],
    sign_public: Annotated[
        str, typer.Option("--sign-public", help="Its public key for signatures, 64 digits.")
    ],
    name: Annotated[
        str | None, typer.Option("--name", help="What the registry calls the device.")
    ] = None,
    registry: RegistryOption = DEFAULT_REGISTRY,
    as_json: JsonOption = False,
) -> None:
    """Add a device with firmware of its own, which a C library of rbnn enrolled."""
    from rbnn.device.enrolment import add_enrolled
    from rbnn.keys.registry import Registry

    with Registry.open(registry) as book:
        report = add_enrolled(book, partition, public, sign_public, name)
    if as_json:
        print(report.model_dump_json(indent=2))
        return
    print(f"Device {report.device} is in the registry.")
    print(f"License it with: rbnn license issue --device {report.device[:16]} --user-key")


@devices.command("audit")
def audit(
    noted: Annotated[
        str | None,
        typer.Option("--noted", help="A last hash that was printed earlier: check its entry too."),
    ] = None,
    last: Annotated[
        int | None,
        typer.Option("--last", min=1, help="Print only the last entries; all are checked."),
    ] = None,
    registry: RegistryOption = DEFAULT_REGISTRY,
    as_json: JsonOption = False,
) -> None:
    """Check the audit log and all rows against it; print the last hash to note elsewhere."""
    from rich.table import Table

    from rbnn.keys.registry import Registry

    with Registry.open(registry, create=False) as known:
        count, head = known.verify_chain(noted)
        entries = known.audit(last)
    if as_json:
        rows = [
            {
                "number": one.number,
                "time": one.time,
                "event": one.event,
                "subject": json.loads(one.subject),
                "hash": one.hash,
            }
            for one in entries
        ]
        print(json.dumps({"entries": count, "last_hash": head, "audit": rows}, indent=2))
        return
    table = Table("no.", "time", "event", "subject")
    for one in entries:
        table.add_row(str(one.number), one.time, one.event, one.subject)
    output().print(table)
    output().print(f"{count} entries, unbroken; last hash {head}", soft_wrap=True, highlight=False)


@devices.command("check")
def check(
    board: BoardOption = options.DEFAULT_BOARD,
    port: PortOption = None,
    device_folder: DeviceFolderOption = None,
    emulated: EmulatedOption = False,
    registry: RegistryOption = DEFAULT_REGISTRY,
    as_json: JsonOption = False,
) -> None:
    """Have a board prove that it is the device that was enrolled: it signs a fresh challenge."""
    from rbnn.device.identity.attesting import check_device
    from rbnn.keys.registry import Registry

    target = options.target(board, port, device_folder, emulated)
    with Registry.open(registry, create=False) as known:
        found = check_device(target, known)
    print(found.model_dump_json(indent=2) if as_json else found.summary())


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(devices, name="devices")
