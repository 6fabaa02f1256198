"""Entry point: collects the commands and turns errors into two lines and an exit code."""

from __future__ import annotations

import errno
import importlib
import io
import os
import sys

import typer
from rich.console import Console

from rbnn import __version__
from rbnn.errors import RbnnError

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


def run() -> None:
    """What the ``rbnn`` script calls."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a name that the terminal cannot show is escaped
            stream.reconfigure(errors="backslashreplace")
    errors = Console(stderr=True, soft_wrap=True, highlight=False, markup=False)
    if sys.stdin is None:  # closed by the parent process: read it as empty
        sys.stdin = open(os.devnull)  # noqa: SIM115 (open as long as the process)
    try:
        build()()
    except RbnnError as error:
        errors.print(f"error: {error.what}", style="bold red")
        if error.fix:
            errors.print(f"try: {error.fix}")
        sys.exit(error.exit_code)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        errors.print("error: No space left to write the output.", style="bold red")
        sys.exit(1)
    except KeyboardInterrupt:
        errors.print("interrupted")
        sys.exit(130)


if __name__ == "__main__":
    run()
