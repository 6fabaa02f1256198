"""``rbnn bench accuracy``: shared networks against single-task networks, under the same budget."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rbnn.cli import options
from rbnn.cli.options import JsonOption, UntilOption
from rbnn.cli.training import Given, training_options
from rbnn.errors import RbnnError
from rbnn.extras import require_training
from rbnn.runs.errors import TrainingPausedError
from rbnn.runs.settings import TABLE

OPTIONS = [name for name, one in TABLE.items() if one.in_comparison and name != "cipher"]
"""A comparison has one cipher, the default: which one it is does not change any accuracy."""


@training_options(
    only=OPTIONS,
    negatable=True,
    helps={
        "minutes": "Minutes of training of the first shared network; all other networks take as "
        "many steps as it does."
    },
)
def accuracy(
    *,
    out: Annotated[
        Path,
        typer.Option("--out", help="Folder of the comparison. An existing one is continued."),
    ],
    tasks: Annotated[
        str | None,
        typer.Option(help="Tasks, as for rbnn train. Not needed to continue a comparison."),
    ] = None,
    given: Given,
    seeds: Annotated[
        str | None, typer.Option(help="Seeds, in order of training. Default: 1,2,3.")
    ] = None,
    schemes: Annotated[
        str | None,
        typer.Option(help="Schemes of the shared networks. Default: xor,sign,permute,none."),
    ] = None,
    counts: Annotated[
        str | None,
        typer.Option(
            help="Numbers of tasks that share a network, under xor. Default: those of 1,2,4,7 that "
            "are not above the number of tasks."
        ),
    ] = None,
    wrong_secrets: Annotated[
        int | None,
        typer.Option(min=0, help="Wrong secrets to try on each task; 0 for none. Default: 20."),
    ] = None,
    report_only: Annotated[
        bool, typer.Option("--report-only", help="Train nothing; report what is there.")
    ] = False,
    summary: Annotated[
        Path | None,
        typer.Option(
            "--summary",
            help="Write the accuracies of single-task and shared networks in percent to this JSON "
            "file, and the report with its plots next to it.",
        ),
    ] = None,
    until: UntilOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train single-task and shared networks under one budget, and compare their accuracy.

    Stop with Ctrl-C; `rbnn bench accuracy --out FOLDER` continues. Seeds, schemes and counts can be
    added to a comparison; its other settings cannot change. The tables and plots are in accuracy.md
    in its folder.
    """
    require_training()
    from rbnn.compare.choice import ComparisonChoice, parse_numbers, parse_schemes
    from rbnn.compare.report import write_report
    from rbnn.compare.tables import tables as tables_of
    from rbnn.train.interrupt import parse_until

    if summary is not None and summary.suffix != ".json":
        raise RbnnError(
            f"--summary must be a file whose name ends in .json. Received: {summary}.",
            "The page is written next to it, with .md in place of .json.",
        )
    stop = None if until is None else parse_until(until)
    choice = ComparisonChoice(
        settings=given,
        seeds=None if seeds is None else parse_numbers("--seeds", seeds),
        schemes=None if schemes is None else parse_schemes(schemes),
        counts=None if counts is None else parse_numbers("--counts", counts),
        wrong_secrets=wrong_secrets,
    )
    if report_only:
        named = {"--seeds": seeds, "--schemes": schemes, "--counts": counts}
        others = {"--tasks": tasks, "--wrong-secrets": wrong_secrets, "--until": until, **named}
        training = {TABLE[name].option: value for name, value in given.items()}
        options.refuse_beside("--report-only", {**others, **training})
        figures = write_report(out, summary)
    else:
        from rbnn.compare.compare import compare_networks

        try:
            figures = compare_networks(out, tasks, choice, options.say, summary, stop)
        except TrainingPausedError as error:
            options.paused(error, as_json)
            return
    if as_json:
        print(figures.model_dump_json(indent=2))
        return
    console = options.output()
    for table in tables_of(figures):
        console.print(table.rich())
    if figures.missing:
        many = len(figures.missing)
        console.print(f"{many} network{' is' if many == 1 else 's are'} still to be trained.")
    console.print(f"Report: {out / 'accuracy.md'}", soft_wrap=True)
