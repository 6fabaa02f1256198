"""The application: collects the commands."""

from __future__ import annotations

import importlib

import typer

from rbnn import __version__

COMMANDS = (
    "tasks",
    "nets",
    "train",
    "eval",
    "export",
    "keys",
    "enroll",
    "license",
    "flash",
    "switch",
    "infer",
    "monitor",
    "board",
    "devices",
    "report",
    "profile",
    "bench",
    "demo",
)
"""Modules of this package, in the order in which ``rbnn --help`` lists their commands."""

app = typer.Typer(
    name="rbnn",
    help="Reconfigurable binary networks on Arm Cortex-M: train, flash, unlock, switch.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"rbnn {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(
        False,
        "--version",
        help="Print the version and exit.",
        callback=_print_version,
        is_eager=True,
    ),
) -> None:
    pass


def build() -> typer.Typer:
    """The application with every command registered."""
    for name in COMMANDS:
        importlib.import_module(f"rbnn.cli.{name}").register(app)
    return app
