"""``rbnn license list`` and ``rbnn license show``: what was issued."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rbnn.cli import options
from rbnn.cli.options import JsonOption, RegistryOption

if TYPE_CHECKING:
    from rbnn.keys.facts import LicenceFacts

DeviceOption = Annotated[
    str | None,
    typer.Option(
        "--device", help="A device's name, or first hex digits of its public key; see rbnn devices."
    ),
]
_LISTED = (
    "licence",
    "device",
    "sequence",
    "model",
    "task",
    "user",
    "inference_limit",
    "activation_limit",
    "release_only",
    "issued_at",
)
_CLOSED = ("state", "revoked_at", "reason", "successor")


def list_licences(
    device: DeviceOption = None,
    user: Annotated[
        str | None,
        typer.Option("--user", help="First hex digits of a user's name; see rbnn keys show."),
    ] = None,
    task: Annotated[str | None, typer.Option("--task", help="Name of a task.")] = None,
    revoked: Annotated[
        bool | None,
        typer.Option("--revoked", help="Only those that were revoked or transferred."),
    ] = None,
    valid: Annotated[bool | None, typer.Option("--valid", help="Only those that count.")] = None,
    registry: RegistryOption = options.DEFAULT_REGISTRY,
    as_json: JsonOption = False,
) -> None:
    """List issued licences: of all, or of one device, user or task."""
    if revoked:
        options.refuse_beside("--revoked", {"--valid": valid})
    from rich.table import Table

    from rbnn.keys import facts
    from rbnn.keys.queries import LicenceFilter
    from rbnn.keys.registry import Registry

    with Registry.open(registry, create=False) as known:
        public = None if device is None else known.find_device(device).public
        state = False if valid else revoked
        wanted = LicenceFilter(device=public, user=user, task=task, is_revoked=state)
        found = [facts.of_row(one) for one in known.licences(wanted=wanted)]
    if as_json:
        rows = [one.model_dump(include={*_LISTED, *_CLOSED}) for one in found]
        print(json.dumps({"licences": rows}, indent=2))
        return
    heads = ("device", "no.", "task", "user", "inferences", "activations")
    table = Table(*heads, "issued", "licence", "state")
    for one in found:
        table.add_row(
            str(one.device)[:16],
            str(one.sequence),
            one.task,
            one.user,
            str(one.inference_limit or "no limit"),
            str(one.activation_limit or "no limit"),
            one.issued_at,
            one.licence[:16],
            one.state,
        )
    options.output().print(table)


def show(
    licence: Annotated[
        str,
        typer.Argument(
            metavar="NUMBER|FILE",
            help="First hex digits of a licence's number (rbnn license list), or its file.",
        ),
    ],
    registry: RegistryOption = options.DEFAULT_REGISTRY,
    as_json: JsonOption = False,
) -> None:
    """Show one licence: what it is, for whom, its limits and whether it counts."""
    from rbnn.keys import facts
    from rbnn.keys.database import is_there
    from rbnn.keys.registry import Registry

    file = Path(licence)
    if file.is_file() and not is_there(registry):
        found = facts.of_file(file, None)
    else:
        with Registry.open(registry, create=False) as known:
            is_file = file.is_file()
            found = facts.of_file(file, known) if is_file else facts.of_number(licence, known)
    if as_json:
        print(json.dumps({"licence": found.model_dump()}, indent=2))
    else:
        _print(found)


def _print(found: LicenceFacts) -> None:
    state: str = found.state
    if found.revoked_at is not None:
        state += f" at {found.revoked_at}: {found.reason}"
    device = found.device
    if device is not None and found.device_name is not None:
        device += f" ({found.device_name}, {found.board})"
    elif device is not None:
        device += f" ({found.board})"
    task = f"number {found.task_number}"
    rows: dict[str, str | None] = {
        "licence": found.licence,
        "state": state,
        "successor": found.successor,
        "task": task if found.task is None else f"{found.task} ({task})",
        "device": device,
        "user": found.user,
        "inferences": str(found.inference_limit or "no limit"),
        "activations": str(found.activation_limit or "no limit"),
        "development builds": "refuse it" if found.release_only else None,
        "no. among its device's licences": str(found.sequence),
        "issued": found.issued_at,
        "model": found.model,
        "model digest": found.model_digest,
    }
    for name, value in rows.items():
        if value is not None:
            options.output().print(
                f"{name}: {value}", soft_wrap=True, highlight=False, markup=False
            )
