"""``rbnn nets``: which networks fit a board, and what they would cost."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from rbnn.cli import options
from rbnn.cli.options import BoardOption, JsonOption
from rbnn.runs.settings import TABLE

if TYPE_CHECKING:
    from rbnn.image.board import Board as Manifest
    from rbnn.image.candidates import Limits, RankedNetwork

FIGURES = ("kbit", "M MAC", "flash KB", "RAM KB", "M instr.", "ms")


def nets(
    board: BoardOption = options.DEFAULT_BOARD,
    arch: Annotated[
        list[str] | None,
        typer.Option(
            "--arch",
            help="Only this architecture, or a .py or .json file that describes a network of your "
            "own (docs/own-networks.md); may be repeated.",
        ),
    ] = None,
    width: Annotated[
        list[int] | None, typer.Option("--width", help="Only this width; may be repeated.")
    ] = None,
    depth: Annotated[
        int | None, typer.Option("--depth", help="Depth; default: each architecture's.")
    ] = None,
    stages: Annotated[
        int | None,
        typer.Option(
            "--stages", help="Stages of a resnet or reactnet; default: the architecture's."
        ),
    ] = None,
    stem_bits: Annotated[
        int, typer.Option("--stem-bits", help="Bits of a weight in the first layer, 1 or 8.")
    ] = 1,
    classifier_bits: Annotated[
        int, typer.Option("--classifier-bits", help="Bits of a weight in the last layer, 1 or 8.")
    ] = 1,
    shape: Annotated[
        str, typer.Option("--input", help="Height, width and channels, such as 32x32x3.")
    ] = "32x32x3",
    classes: Annotated[
        int, typer.Option(min=2, max=64, help="Largest number of classes in a task.")
    ] = 10,
    tasks: Annotated[int, typer.Option(min=1, max=16, help="Number of tasks in the model.")] = 7,
    as_json: JsonOption = False,
) -> None:
    """Rank architectures and sizes by how they fit a board, before anything is trained.

    Instructions are predicted (within 5 % per layer); milliseconds are an estimate from Arm's
    timing table at the board's clock.
    """
    from rbnn.image.board import load_board
    from rbnn.image.candidates import candidates, limits
    from rbnn.nets.own.file import find_network
    from rbnn.runs.network import refuse_sizes
    from rbnn.tasks.form import parse_input

    ends = {"stem_bits": stem_bits, "classifier_bits": classifier_bits}
    for name, bits in ends.items():
        TABLE[name].check(bits)
    manifest = load_board(board)
    refusals: list[str] = []
    input_shape = parse_input(shape)
    given = {name: find_network(name) for name in arch or []}
    own = [one for one in given.values() if one is not None]
    for one in own:
        refuse_sizes(one.file, width=width[0] if width else None, depth=depth, stages=stages)
    found = candidates(
        manifest,
        [name for name, one in given.items() if one is None],
        width or [],
        depth,
        stages,
        input_shape,
        classes,
        tasks,
        ends,
        own,
        refusals,
    )
    has = limits(manifest, input_shape)
    if as_json:
        rows = [one.model_dump(exclude_none=True) for one in found]
        named = {"limits": has.model_dump(mode="json"), "refused": refusals}
        print(json.dumps({"board": board, **named, "candidates": rows}, indent=2))
        return
    _print(manifest, f"{shape}, {tasks} tasks", found)
    _print_limits(has, found, refusals)


def _print(board: Manifest, model: str, found: list[RankedNetwork]) -> None:
    from rich.table import Table

    from rbnn.pages.units import KB

    has = f"{board.flash.bytes / KB:,.0f} KB flash, {board.ram.bytes / KB:,.1f} KB RAM"
    table = Table(title=f"{board.title}, {board.clock_hz / 1e6:g} MHz, {has}\n{model}")
    table.add_column("network", no_wrap=True)
    for name in FIGURES:
        table.add_column(name, justify="right")
    table.add_column("fits")
    for one in found:
        table.add_row(
            _name(one),
            f"{one.bits / 1000:,.0f}",
            f"{one.macs / 1e6:,.1f}",
            f"{one.flash / KB:,.0f}",
            f"{one.ram / KB:,.1f}",
            f"{one.instructions / 1e6:,.2f}",
            f"{one.estimated_ms:,.0f}",
            "yes" if one.fits else f"no: {', '.join(one.lacks)}",
        )
    console = options.output()
    console.print(table)
    console.print(
        "network: architecture, width/depth/stages. RAM: with resident weights if there is room. "
        "KB: 1,000 bytes. ms: an estimate without flash wait states."
    )


def _name(one: RankedNetwork) -> str:
    sizes = [str(size) for size in (one.width, one.depth, one.stages) if size is not None]
    return " ".join([one.architecture, *(["/".join(sizes)] if sizes else [])])


def _print_limits(has: Limits, found: list[RankedNetwork], refusals: list[str]) -> None:
    """What the board leaves for a model, and by how much a network exceeds it."""
    console = options.output()
    size = "x".join(map(str, has.input))
    console.print(
        f"An input of {size} is {has.input_bytes:,} bytes. The board then has "
        f"{has.model_flash:,} of {has.flash:,} bytes of flash for a model, and "
        f"{has.model_ram:,} of {has.ram:,} bytes of RAM for its activations, parameters, working "
        "memory and resident weights."
    )
    for one in found:
        if not one.fits:
            console.print(f"{_name(one)} does not fit. {one.why}.")
    for refusal in refusals:
        console.print(refusal)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("nets")(nets)
