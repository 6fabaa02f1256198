"""``rbnn demo``: the main job on the emulated board, without data or hardware of your own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rbnn.cli import options


def demo(
    tasks: Annotated[str, typer.Option(help="Tasks, as for rbnn train.")] = "digits,words",
    samples: Annotated[int, typer.Option(min=1, help="Test samples per task on the device.")] = 200,
    folder: Annotated[Path, typer.Option(help="A folder of its own is made in here.")] = Path(
        "demo"
    ),
    as_json: options.Json = False,
) -> None:
    """Train two tasks, flash the emulated board, unlock, switch, and measure on the device."""
    from datetime import datetime

    from rich.console import Console

    from rbnn.report.demo import run_demo
    from rbnn.report.tables import demo_report

    notes = Console(stderr=True, highlight=False, soft_wrap=True, markup=False)
    own = folder / datetime.now().strftime("%Y-%m-%d-%H%M%S")
    figures = run_demo(own, tasks, samples, notes.print)
    if as_json:
        print(figures.model_dump_json(indent=2))
    else:
        Console().print(demo_report(figures))


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("demo")(demo)
