"""The application: finds the command that was typed, and imports only that one."""

from __future__ import annotations

import importlib
import keyword
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from rbnn import __version__

COMMANDS = {
    "tasks": "List the known tasks; with names, load those and count their samples.",
    "nets": "Rank architectures and sizes by how they fit a board, before anything is trained.",
    "train": "Train one shared network for all tasks named, into a run folder.",
    "import": "Convert a trained Larq or Keras model into a run of one task.",
    "eval": "Measure every task of RUN on its test set.",
    "audit": "Look for backdoors in the integers that a device will compute with, task by task.",
    "export": "Write a run's model container, C arrays and golden vectors; with --library, a C "
    "library.",
    "keys": "Make key files, and show their public part.",
    "enroll": "Make helper data and keys on the device and add it to the registry.",
    "license": "Issue licence files, put them on a board, revoke or transfer them, and show what "
    "was issued.",
    "flash": "Export, check and build if needed, write the board, enrol it once, and license it.",
    "model": "Load a signed model into a board's model partition over the serial line.",
    "provision": "Enrol, license and flash every board of a table; a second call continues the "
    "first.",
    "switch": "Make TASK the board's active task; a locked one needs the user key.",
    "infer": "Print label, scores and duration of each file; of a sensor series, of each window.",
    "listen": "Send a recording to the board; print the words that it detects, as they come.",
    "console": "Serve a local web page that shows a board, switches its tasks and classifies "
    "files.",
    "monitor": "Open a terminal on the board, or send the commands that are piped in.",
    "board": "Power, reset and state of a board.",
    "boards": "List the boards known here: memory, largest network that fits, and which are "
    "connected.",
    "doctor": "Check what rbnn needs on this machine, and name the command that fixes it.",
    "lock-board": "Close a real board's flash to debug probes, after a question that names the "
    "consequences.",
    "devices": "List the enrolled devices; `add` adds one with other firmware, `check` has a board "
    "prove which one it is, `audit` checks the registry's log.",
    "report": "Write what is known about RUN to an HTML page and a model card.",
    "profile": "Run one inference of a task on the board; print instructions or cycles per layer.",
    "bench": "What layers and networks cost.",
    "demo": "Train two tasks, flash the emulated board, unlock, switch, and measure on the device.",
}
"""Modules of this package (with _ for -, and after a word of Python's), in the order in which
``rbnn --help`` lists their commands, and what each does: the first paragraph of its own help. So
``rbnn --help`` imports none of them."""


class _Commands(TyperGroup):
    """A group that shows the commands of :data:`COMMANDS`, and imports the one that is used."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for name, summary in COMMANDS.items():
            self.add_command(TyperCommand(name, help=summary))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, _, rest = super().resolve_command(ctx, args)
        return name, load(str(name)), rest


app = typer.Typer(
    name="rbnn",
    cls=_Commands,
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


def load(name: str) -> TyperCommand | TyperGroup:
    """Import one command."""
    from rbnn.cli import boards_option

    loaded = typer.Typer()
    loaded.callback()(lambda: None)  # a group, even if it has only one command
    module = f"{name}_" if keyword.iskeyword(name) else name.replace("-", "_")
    importlib.import_module(f"rbnn.cli.{module}").register(loaded)
    command: TyperCommand | TyperGroup = typer.main.get_group(loaded).commands[name]  # type: ignore[assignment]
    boards_option.add(command)
    return command
