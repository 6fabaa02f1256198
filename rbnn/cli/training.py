"""Options that every command which trains networks takes alike."""

from __future__ import annotations

from typing import Annotated

import typer

Width = Annotated[
    int | None,
    typer.Option(help="Channels of the first stage, best a multiple of 32. Default: 64."),
]
Depth = Annotated[
    int | None,
    typer.Option(help="Binary convolutions or blocks. Default: vgg 4, resnet 6, reactnet 5."),
]
Stages = Annotated[
    int | None,
    typer.Option(
        help="Stages of a resnet or reactnet, 2 to 4: each later one has half the side and "
        "twice the channels. Default: 2."
    ),
]
Epochs = Annotated[
    int | None, typer.Option(help="Passes over the largest task; by default by its size.")
]
Steps = Annotated[int | None, typer.Option(help="Stop after so many steps.")]
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
