"""``rbnn demo``: the main job on a board, without data or hardware of your own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rbnn.cli import options
from rbnn.cli.options import EmulatedOption, PortOption
from rbnn.extras import require_training

DEFAULT_TASKS = "digits,words"
DEFAULT_SAMPLES = 200
DEFAULT_SAMPLES_OF_SEVEN = 20


def demo(
    tasks: Annotated[
        str | None,
        typer.Option(help=f"Tasks to train, as for rbnn train; default: {DEFAULT_TASKS}."),
    ] = None,
    samples: Annotated[
        int | None,
        typer.Option(
            min=1,
            help=f"Test samples per task on the device; default: {DEFAULT_SAMPLES}, with --seven "
            f"{DEFAULT_SAMPLES_OF_SEVEN}.",
        ),
    ] = None,
    folder: Annotated[Path, typer.Option(help="Each demo makes a new folder in this one.")] = Path(
        "demo"
    ),
    seven: Annotated[
        bool, typer.Option("--seven", help="Train nothing: flash the shipped seven-task model.")
    ] = False,
    model: Annotated[
        Path | None, typer.Option(help="With --seven: another packed model to flash.")
    ] = None,
    board: Annotated[
        str | None,
        typer.Option(help="With --seven: name of the board; default: qemu."),
    ] = None,
    port: PortOption = None,
    emulated: EmulatedOption = False,
    registry: Annotated[
        str | None,
        typer.Option(
            help="With --seven: registry of devices and licences, file or SQLAlchemy URL."
        ),
    ] = None,
    as_json: options.JsonOption = False,
) -> None:
    """Train two tasks, flash the emulated board, unlock, switch, and measure on the device.

    With --seven: no training; seven tasks from the shipped model, on any board.
    """
    from datetime import datetime

    from rich.console import Console, RenderableType

    from rbnn.demo.figures import DemoFigures
    from rbnn.demo.packed_figures import PackedFigures

    notes = Console(stderr=True, highlight=False, soft_wrap=True, markup=False)
    own = folder / datetime.now().strftime("%Y-%m-%d-%H%M%S")
    figures: DemoFigures | PackedFigures
    report: RenderableType
    if seven:
        from rbnn.demo.packed import PackedDemoPlan, demonstrate, registry_for
        from rbnn.demo.packed_tables import seven_report
        from rbnn.export.packed import SHIPPED, PackedModel

        options.refuse_beside("--seven", {"--tasks": tasks})
        packed = PackedModel.read(model or SHIPPED)
        place = own / "emulated" / "device"
        target = options.demo_target(board or options.DEFAULT_BOARD, port, place, emulated)
        plan = PackedDemoPlan(
            own,
            packed,
            target,
            samples or DEFAULT_SAMPLES_OF_SEVEN,
            registry or registry_for(target, own),
        )
        figures = demonstrate(plan, notes.print)
        report = seven_report(figures)
    else:
        require_training()
        from rbnn.demo.main_job import run_demo
        from rbnn.demo.tables import demo_report

        given = {"--model": model, "--board": board, "--port": port, "--registry": registry}
        options.refuse_without("--seven", {**given, "--emulated": emulated or None})
        figures = run_demo(own, tasks or DEFAULT_TASKS, samples or DEFAULT_SAMPLES, notes.print)
        report = demo_report(figures)
    if as_json:
        print(figures.model_dump_json(indent=2))
    else:
        options.output().print(report)
        if isinstance(figures, PackedFigures):
            print("Continue with:", *figures.go_on, sep="\n  ")  # not wrapped, to be pasted
    if isinstance(figures, PackedFigures):
        from rbnn.demo.packed import require_equal

        require_equal(figures)


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("demo")(demo)
