"""``rbnn bench train``: the cost of training several tasks together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from rbnn.cli import options
from rbnn.cli.options import JsonOption

if TYPE_CHECKING:
    from rbnn.bench.train_speed import TrainSpeed


def train(
    arch: Annotated[str, typer.Option("--arch", help="vgg, resnet or reactnet.")] = "resnet",
    width: Annotated[int | None, typer.Option(help="Channels of the first stage.")] = None,
    depth: Annotated[int | None, typer.Option(help="Binary convolutions or blocks.")] = None,
    stages: Annotated[int | None, typer.Option(help="Of a resnet or reactnet, 2 to 4.")] = None,
    batch: Annotated[int, typer.Option(min=2, help="Samples per task and step.")] = 64,
    precision: Annotated[
        Literal["auto", "float32", "bfloat16"], typer.Option(help="As for rbnn train.")
    ] = "auto",
    tasks: Annotated[int, typer.Option(min=2, max=16, help="How many tasks share.")] = 7,
    rounds: Annotated[int, typer.Option(min=1, help="Steps of each network.")] = 15,
    as_json: JsonOption = False,
) -> None:
    """Time a step of all tasks in one network against a step of each in a network of its own.

    They take turns in one run; the pictures are random.
    """
    from rbnn.bench.train_speed import bench_train
    from rbnn.runs.start import Settings
    from rbnn.tasks.loading_bar import LoadingBar

    settings = Settings(
        architecture=arch,
        width=width,
        depth=depth,
        stages=stages,
        batch=batch,
        epochs=1,
        precision=None if precision == "auto" else precision,
    )
    with LoadingBar() as bar:
        found = bench_train(settings, tasks, rounds, bar.show)
    if as_json:
        print(found.model_dump_json(indent=2))
    else:
        _print(found)


def _print(found: TrainSpeed) -> None:
    from rbnn.bench.train_speed import GOAL

    low, high = found.spread
    console = options.output()
    console.print(
        f"{found.architecture}, {found.bits:,} bits, {found.tasks} tasks, {found.samples} samples "
        f"a step, {found.precision}",
        highlight=False,
    )
    console.print(
        f"together {found.shared:.3f} s a step ({found.samples_per_second:,.0f} samples a second), "
        f"alone {found.single:.3f} s for all",
        highlight=False,
    )
    console.print(
        f"together / alone: {found.ratio:.3f} (median of {found.rounds}; {low:.3f} to {high:.3f}); "
        f"goal: {GOAL:.1f} or less, {'reached' if found.ratio <= GOAL else 'missed'}",
        highlight=False,
    )
