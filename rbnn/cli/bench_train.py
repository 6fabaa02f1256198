"""``rbnn bench train``: the cost of training several tasks together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from rbnn.cli import options
from rbnn.cli.options import JsonOption
from rbnn.cli.training import Given, training_options
from rbnn.extras import require_training
from rbnn.runs.settings import Settings

if TYPE_CHECKING:
    from rbnn.bench.train_speed import TrainSpeed

ARCHITECTURE = "resnet"
"""Default of ``--arch``."""


@training_options(
    only=(
        "architecture",
        "width",
        "depth",
        "stages",
        "stem_bits",
        "classifier_bits",
        "batch",
        "precision",
    ),
    defaults={"architecture": ARCHITECTURE},
)
def train(
    *,
    given: Given,
    tasks: Annotated[int, typer.Option(min=2, max=16, help="Number of tasks.")] = 7,
    rounds: Annotated[int, typer.Option(min=1, help="Steps to time of each network.")] = 15,
    as_json: JsonOption = False,
) -> None:
    """Compare the time of a step of one network for all tasks with that of single-task networks,
    and with its own time without the fused operations.

    They take turns in one run. The images are random.
    """
    require_training()
    from rbnn.bench.train_speed import bench_train
    from rbnn.runs.start import check
    from rbnn.tasks.loading_bar import LoadingBar

    settings = Settings(**{"architecture": ARCHITECTURE, **given}, epochs=1)
    check(settings)
    with LoadingBar() as bar:
        found = bench_train(settings, tasks, rounds, bar.show)
    if as_json:
        print(found.model_dump_json(indent=2))
    else:
        _print(found)


def _print(found: TrainSpeed) -> None:
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
        f"together / alone: {found.ratio:.3f} (median of {found.rounds}; {low:.3f} to {high:.3f})",
        highlight=False,
    )
    if found.fused is None:
        console.print("fused operations: not used here", highlight=False)
        return
    low, high = found.fused.spread
    console.print(
        f"fused / unfused: {found.samples_per_second:,.0f} / "
        f"{found.fused.unfused_samples_per_second:,.0f} samples a second, "
        f"{found.fused.ratio:.2f} (median of {found.rounds}; {low:.2f} to {high:.2f})",
        highlight=False,
    )
