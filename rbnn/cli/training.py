"""Options that every command which trains networks takes alike."""

from __future__ import annotations

from typing import Annotated

import typer

from rbnn.nets.architectures import ARCHITECTURES


def _usual(option: str) -> str:
    """Defaults of an option for a help text; one where the architectures that have it agree."""
    found = {one.name: getattr(one, option) for one in ARCHITECTURES.values()}
    there = {name: value for name, value in found.items() if value is not None}
    if len(set(there.values())) == 1:
        return f"Default: {next(iter(there.values()))}."
    return f"Default: {', '.join(f'{name} {value}' for name, value in there.items())}."


Width = Annotated[
    int | None,
    typer.Option(help=f"Channels of the first stage, best a multiple of 32. {_usual('width')}"),
]
Depth = Annotated[
    int | None,
    typer.Option(help=f"Binary convolutions or blocks. {_usual('depth')}"),
]
Stages = Annotated[
    int | None,
    typer.Option(
        help="Stages of a resnet or reactnet, 2 to 4: each later one has half the side and "
        f"twice the channels. {_usual('stages')}"
    ),
]
Epochs = Annotated[
    int | None, typer.Option(help="Passes over the largest task; by default by its size.")
]
Steps = Annotated[int | None, typer.Option(help="Stop after so many steps.")]
Trunk = Annotated[
    int | None,
    typer.Option(
        help="Layers, counted from the first, that one key opens for all tasks: what they learn "
        "serves every task. Default: 0."
    ),
]
Share = Annotated[
    list[str] | None,
    typer.Option(help="NAME=FACTOR: give this task so many times the samples; may be repeated."),
]
Weight = Annotated[
    list[str] | None,
    typer.Option(
        help="NAME=FACTOR: let this task count so many times in the shared network's loss, and in "
        "the first values that --superpose gives; may be repeated."
    ),
]
