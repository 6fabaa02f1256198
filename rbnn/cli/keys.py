"""``rbnn keys``: make key files, and show their public part."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from rbnn.cli.options import (
    DEFAULT_REGISTRY,
    JsonOption,
    PassphraseFileOption,
    RegistryOption,
    output,
    say,
)


class Kind(StrEnum):
    """Whose key it is."""

    USER = "user"
    PROVIDER = "provider"


keys = typer.Typer(no_args_is_help=True)


@keys.callback()
def _keys() -> None:
    """Make key files, and show their public part."""


def _print(as_json: bool, document: dict[str, str]) -> None:
    if as_json:
        print(json.dumps(document, indent=2))
        return
    for name, value in document.items():
        output().print(f"{name}: {value}", soft_wrap=True, highlight=False, markup=False)


@keys.command("new")
def new(
    kind: Annotated[Kind, typer.Argument(help="Whose key.")],
    path: Annotated[Path, typer.Argument(help="File to make; it must not exist yet.")],
    passphrase_file: PassphraseFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a new key file that only you can read."""
    from rbnn.keys.provider_key import new_provider_key, public_file
    from rbnn.keys.user_key import create_user_key

    if kind is Kind.USER:
        user = create_user_key(path)
        _print(as_json, {"user key": str(path), "fingerprint": user.fingerprint})
    else:
        provider = new_provider_key(path, passphrase_file, say)
        _print(
            as_json,
            {
                "provider key": str(path),
                "public key": provider.public.hex(),
                "public key file": str(public_file(path)),
            },
        )


@keys.command("show")
def show(
    path: Annotated[
        Path, typer.Argument(help="A user's or a provider's key file, or its .pub file.")
    ],
    passphrase_file: PassphraseFileOption = None,
    write_public: Annotated[
        bool, typer.Option("--write-public", help="Write the .pub file of a provider key again.")
    ] = False,
    registry: RegistryOption = DEFAULT_REGISTRY,
    as_json: JsonOption = False,
) -> None:
    """Print a user key's fingerprint and name in the registry, or a provider's public key."""
    from rbnn.keys import provider_key
    from rbnn.keys.database import is_there
    from rbnn.keys.errors import ProviderKeyError
    from rbnn.keys.registry import Registry
    from rbnn.keys.user_key import load_user_key

    if path.suffix == ".pub":
        public = provider_key.load_provider_public(path.with_suffix(""))
        if public is not None:
            _print(as_json, {"public key file": str(path), "public key": public.hex()})
            return
        raise ProviderKeyError(f"There is no file {path}.", "Name a key file, or its .pub file.")
    if not provider_key.is_provider_file(path):
        user = load_user_key(path, prompt=False)
        shown = {"user key": str(path)}
        if not user.is_derived:  # passphrases could be tried against it
            shown["fingerprint"] = user.fingerprint
        if is_there(registry):
            with Registry.open(registry, create=False) as known:
                shown["user in the registry"] = known.user(user)
        _print(as_json, shown)
        return
    provider = provider_key.load_provider_key(path, passphrase_file)
    if write_public:
        provider_key.write_public(path, provider)
    _print(as_json, {"provider key": str(path), "public key": provider.public.hex()})


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(keys, name="keys")
