"""``rbnn bench accuracy``: shared networks beside the tasks' own, under the same budget."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from rbnn.cli import options
from rbnn.cli.options import JsonOption
from rbnn.cli.training import Depth, Epochs, Share, Stages, Steps, Trunk, Weight, Width
from rbnn.errors import RbnnError


def accuracy(
    out: Annotated[
        Path, typer.Option("--out", help="Folder of the comparison; a begun one is gone on with.")
    ],
    tasks: Annotated[
        str | None, typer.Option(help="Tasks as rbnn train takes them; a begun folder knows its.")
    ] = None,
    arch: Annotated[
        str | None, typer.Option("--arch", help="vgg, resnet or reactnet. Default: vgg.")
    ] = None,
    width: Width = None,
    depth: Depth = None,
    stages: Stages = None,
    epochs: Epochs = None,
    steps: Steps = None,
    minutes: Annotated[
        float | None,
        typer.Option(help="Time of the first shared network; all others take its steps."),
    ] = None,
    batch: Annotated[
        int | None, typer.Option(help="Samples per task and step on average. Default: 64.")
    ] = None,
    sampling: Annotated[
        float | None,
        typer.Option(
            help="0 (default): as many samples of every task, 1: in proportion to its training set."
        ),
    ] = None,
    share: Share = None,
    weight: Weight = None,
    trunk: Trunk = None,
    learning_rate: Annotated[
        float | None, typer.Option(help="Highest learning rate. Default: 0.01.")
    ] = None,
    precision: Annotated[
        Literal["float32", "bfloat16"] | None,
        typer.Option(help="Of the binary convolutions while training. Default: as the CPU likes."),
    ] = None,
    superpose: Annotated[
        bool | None,
        typer.Option(
            help="Begin shared networks with the tasks' own ones laid on each other. Default: no."
        ),
    ] = None,
    distill: Annotated[
        float | None,
        typer.Option(help="Weight of the tasks' own networks' answers in the shared one's loss."),
    ] = None,
    temperature: Annotated[
        float | None, typer.Option(help="Softens the answers that --distill compares. Default: 2.")
    ] = None,
    seeds: Annotated[
        str | None, typer.Option(help="Seeds, the first one first. Default: 1,2,3.")
    ] = None,
    schemes: Annotated[
        str | None,
        typer.Option(help="Of the shared networks. Default: xor,sign,permute,none."),
    ] = None,
    counts: Annotated[
        str | None,
        typer.Option(help="Numbers of tasks that share, under xor. Default: 1,2,4,7, up to all."),
    ] = None,
    wrong_secrets: Annotated[
        int | None, typer.Option(help="To force on each task. Default: 20; 0 for none.")
    ] = None,
    report_only: Annotated[
        bool, typer.Option("--report-only", help="Train nothing; report what there is.")
    ] = False,
    summary: Annotated[
        Path | None,
        typer.Option(
            "--summary",
            help="Write single against shared in percent to this JSON file, the report and its "
            "plots beside it.",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Train every task's own network and the shared ones under one budget, and compare them.

    Stop it with Ctrl-C; `rbnn bench accuracy --out FOLDER` goes on. Seeds, schemes and counts may
    be added to a folder, other settings are refused. accuracy.md in it holds tables and plots.
    """
    from rbnn.compare.choice import ComparisonChoice, parse_numbers, parse_schemes
    from rbnn.compare.plan import option
    from rbnn.compare.report import write_report
    from rbnn.compare.tables import tables as tables_of
    from rbnn.runs.start import parse_factors

    if summary is not None and summary.suffix != ".json":
        raise RbnnError(
            f"--summary takes a file whose name ends in .json, not {summary}.",
            "The page is written beside it, with .md in place of .json.",
        )
    settings = {
        "architecture": arch,
        "width": width,
        "depth": depth,
        "stages": stages,
        "epochs": epochs,
        "steps": steps,
        "minutes": minutes,
        "batch": batch,
        "sampling": sampling,
        "shares": parse_factors("--share", share) if share else None,
        "weights": parse_factors("--weight", weight) if weight else None,
        "learning_rate": learning_rate,
        "precision": precision,
        "trunk": trunk,
        "superpose": superpose,
        "distill": distill,
        "temperature": temperature,
    }
    choice = ComparisonChoice(
        settings={name: value for name, value in settings.items() if value is not None},
        seeds=None if seeds is None else parse_numbers("--seeds", seeds),
        schemes=None if schemes is None else parse_schemes(schemes),
        counts=None if counts is None else parse_numbers("--counts", counts),
        wrong_secrets=wrong_secrets,
    )
    if report_only:
        named = {"--seeds": seeds, "--schemes": schemes, "--counts": counts}
        others = {"--tasks": tasks, "--wrong-secrets": wrong_secrets, **named}
        given = {option(name): value for name, value in settings.items()}
        options.refuse_beside("--report-only", {**others, **given})
        figures = write_report(out, summary)
    else:
        from rbnn.compare.compare import compare_networks

        figures = compare_networks(out, tasks, choice, options.say, summary)
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
