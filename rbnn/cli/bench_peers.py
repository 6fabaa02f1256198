"""``rbnn bench peers``: the shared set against the int8 networks that a user would flash."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rbnn.cli import options
from rbnn.cli.options import JsonOption, UntilOption
from rbnn.extras import require_training
from rbnn.runs.errors import TrainingPausedError


def peers(
    run: Annotated[Path, typer.Argument(help="The run to compare: a trained shared network.")],
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the comparison; an existing comparison is continued. Default: peers in "
            "the run's folder."
        ),
    ] = None,
    tasks: Annotated[
        str | None, typer.Option(help="Some tasks of the run. Default: all of them.")
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option(
            help="Steps of each network, with the run's sub-batches. Default: as many as the run "
            "took, those of its single-task networks included if it builds on them."
        ),
    ] = None,
    samples: Annotated[
        int | None,
        typer.Option(help="In place of --steps: samples of each task, repetitions included."),
    ] = None,
    rates: Annotated[
        str | None,
        typer.Option(
            help="Learning rates to try for each int8 network, on samples held out from its "
            "training set. Default: 0.002,0.006,0.02."
        ),
    ] = None,
    binary: Annotated[
        bool, typer.Option("--binary", help="Also train separate binary networks in the flash.")
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue with the settings of the folder.")
    ] = False,
    until: UntilOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train the int8 networks a user would flash instead, and compare accuracy and cost.

    ResNet-8 for pictures and DS-CNN for sounds, in the flash of the shared set and at their
    published size, and one int8 trunk with a head for each task, on the run's data. Stop with
    Ctrl-C; the same command continues. Writes peers.json, peers.md, peers.svg and peers.png to the
    folder.
    """
    require_training()
    from rbnn.peers.experiment import bench_peers
    from rbnn.peers.page import STEM, headline, summary
    from rbnn.peers.page import tables as tables_of
    from rbnn.peers.plan import PeerSettings
    from rbnn.runs.run import choose_run
    from rbnn.train.interrupt import parse_until

    stop = None if until is None else parse_until(until)
    if resume:
        named = {"--tasks": tasks, "--steps": steps, "--samples": samples, "--rates": rates}
        options.refuse_beside("--resume", named)
    compared = choose_run(run, options.DEFAULT_RUNS)
    folder = compared.folder / STEM if out is None else out
    settings = PeerSettings(tasks, steps, samples, rates, binary)
    try:
        figures = bench_peers(compared, settings, folder, options.say, resume=resume, until=stop)
    except TrainingPausedError as error:
        options.paused(error, as_json)
        return
    if as_json:
        print(figures.model_dump_json(indent=2))
        return
    console = options.output()
    console.print(f"{headline(figures)}.", style="bold")
    console.print(summary(figures))
    for table in tables_of(figures):
        console.print(table.rich())
    console.print(f"Report: {folder / f'{STEM}.md'}", soft_wrap=True)
