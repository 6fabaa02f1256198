"""Options that several commands share, and ``--user-key`` with its value left out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

USER_KEY = "--user-key"
NO_VALUE = "\0"
"""Stands for the value of a bare ``--user-key``; no shell can pass it."""

Board = Annotated[str, typer.Option("--board", help="Name of the board: boards/<name>.json.")]
Port = Annotated[
    str | None, typer.Option("--port", help="Serial port of a real board; found by USB otherwise.")
]
DeviceFolder = Annotated[
    Path | None,
    typer.Option("--device-folder", help="Emulated board's folder [default: emulated/<board>]."),
]
Emulated = Annotated[
    bool, typer.Option("--emulated", help="Emulate a board that is real by its manifest.")
]
Registry = Annotated[
    str, typer.Option("--registry", help="File or SQLAlchemy URL of devices and licences.")
]
ProviderKey = Annotated[
    Path, typer.Option("--provider-key", help="Licence provider's key; made when missing.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]
UserKey = Annotated[
    str | None,
    typer.Option(
        USER_KEY,
        metavar="[PATH]",
        help="Key file, - for standard input; without a value keys/user.key, else a prompt.",
    ),
]

DEFAULT_BOARD = "qemu"
DEFAULT_REGISTRY = "registry.sqlite"
DEFAULT_PROVIDER_KEY = Path("keys") / "provider.pem"


def with_user_key_value(arguments: Sequence[str]) -> list[str]:
    """Give a bare ``--user-key`` the value :data:`NO_VALUE`.

    It is bare where it stands last or before another option; ``-`` alone is a value.
    """
    result: list[str] = []
    for position, argument in enumerate(arguments):
        following = arguments[position + 1 : position + 2]
        bare = not following or (following[0].startswith("-") and following[0] != "-")
        if argument == "--":
            return [*result, *arguments[position:]]
        result.append(f"{USER_KEY}={NO_VALUE}" if argument == USER_KEY and bare else argument)
    return result


class UserKeyCommand(TyperCommand):
    """A command whose ``--user-key`` may stand without a value."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Complete ``--user-key``, then parse as ever."""
        return super().parse_args(ctx, with_user_key_value(args))
