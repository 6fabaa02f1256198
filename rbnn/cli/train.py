"""``rbnn train``: one set of binary parameters for several tasks."""

from __future__ import annotations

import dataclasses
import functools
import json
import os
from pathlib import Path
from typing import Annotated, Literal

import typer

from rbnn.cli import options
from rbnn.cli.options import JsonOption
from rbnn.cli.training import Depth, Epochs, Share, Stages, Steps, Trunk, Weight, Width
from rbnn.errors import RbnnError

FIXED = (
    *("arch", "width", "depth", "stages", "scheme", "cipher"),
    *("epochs", "steps", "minutes", "batch", "sampling", "share"),
    *("weight", "trunk", "learning_rate", "precision", "superpose", "distill", "temperature"),
    *("seed", "out"),
)
"""Settings that a resumed run keeps."""


def train(
    context: typer.Context,
    tasks: Annotated[
        str | None,
        typer.Option(help="Tasks, such as digits,words or cifar,kws,mine=path/to/folder."),
    ] = None,
    arch: Annotated[str, typer.Option(help="Architecture: vgg, resnet or reactnet.")] = "vgg",
    width: Width = None,
    depth: Depth = None,
    stages: Stages = None,
    scheme: Annotated[
        Literal["xor", "sign", "permute", "none"],
        typer.Option(help="How a secret changes the stored bits; a device knows xor alone."),
    ] = "xor",
    cipher: Annotated[
        Literal["chacha20", "chacha12", "chacha8"], typer.Option(help="Key stream of the bits.")
    ] = "chacha20",
    epochs: Epochs = None,
    steps: Steps = None,
    minutes: Annotated[
        float | None, typer.Option(help="Stop after this much time; the schedule fits it.")
    ] = None,
    batch: Annotated[
        int, typer.Option(help="Samples per task and step, on average over the tasks.")
    ] = 64,
    sampling: Annotated[
        float,
        typer.Option(
            help="0 gives every task as many samples a step, 1 in proportion to its training set."
        ),
    ] = 0.0,
    share: Share = None,
    weight: Weight = None,
    trunk: Trunk = None,
    learning_rate: Annotated[float, typer.Option(help="Highest learning rate.")] = 0.01,
    precision: Annotated[
        Literal["auto", "float32", "bfloat16"],
        typer.Option(help="Of the binary convolutions while training; auto: as the CPU likes."),
    ] = "auto",
    superpose: Annotated[
        bool,
        typer.Option(
            "--superpose",
            help="Begin with the tasks' own networks, each under its key, laid on each other; with "
            "--baseline, which are then trained first.",
        ),
    ] = False,
    distill: Annotated[
        float | None,
        typer.Option(
            help="Weight (above 0, at most 1) of what the tasks' own networks answer in the loss "
            "of the shared one; with --baseline, as for --superpose."
        ),
    ] = None,
    temperature: Annotated[
        float, typer.Option(help="Softens the answers that --distill compares.")
    ] = 2.0,
    seed: Annotated[int, typer.Option(help="Of everything but the task secrets.")] = 1,
    out: Annotated[Path, typer.Option(help="Folder of all runs.")] = options.DEFAULT_RUNS,
    resume: Annotated[
        Path | None, typer.Option(help="Go on with this run, under its own settings.")
    ] = None,
    baseline: Annotated[
        bool, typer.Option("--baseline", help="Train each task's own network too, and compare.")
    ] = False,
    distribute: Annotated[
        bool,
        typer.Option(
            "--distribute",
            help="Train on all GPUs of this machine or, started on each with TF_CONFIG set, on "
            "several machines that share the run's folder. See docs/distribution.md.",
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Train one shared network for all tasks named, into a run folder."""
    if (tasks is None) == (resume is None):
        raise RbnnError(
            "Name either tasks to train or a run to resume.",
            "rbnn train --tasks digits,words, or rbnn train --resume runs/NAME",
        )
    sources = {name: context.get_parameter_source(name) for name in FIXED}
    given = [name for name, source in sources.items() if source and source.name == "COMMANDLINE"]
    if resume is not None and given:
        raise RbnnError(
            f"A resumed run keeps its settings; --{given[0].replace('_', '-')} cannot change.",
            f"rbnn train --resume {resume}",
        )
    from rbnn.runs.run import Run
    from rbnn.runs.start import Settings, check, load_data, parse_factors, start_run
    from rbnn.tasks import load, parse_specs
    from rbnn.tasks.loading_bar import LoadingBar

    run = data = workers = None
    if resume is not None:
        run = Run(resume)
        config = run.config()
    else:
        settings = Settings(
            architecture=arch,
            width=width,
            depth=depth,
            stages=stages,
            scheme=scheme,
            cipher=cipher,
            epochs=epochs,
            steps=steps,
            minutes=minutes,
            batch=batch,
            sampling=sampling,
            shares=parse_factors("--share", share or []),
            weights=parse_factors("--weight", weight or []),
            learning_rate=learning_rate,
            precision=None if precision == "auto" else precision,
            trunk=trunk or 0,
            superpose=superpose,
            distill=distill,
            temperature=temperature,
            seed=seed,
            baseline=baseline,
        )
        check(settings)
        specs = parse_specs(tasks or "")
    if distribute:
        from rbnn.train.distribution import join

        workers = join(os.environ.get("TF_CONFIG"), functools.partial(typer.echo, err=True))
    if workers is None or workers.chief:
        if run is None:
            with LoadingBar() as bar:
                data = [load(spec, progress=bar.show) for spec in specs]
            run = start_run(out, data, settings)
        elif baseline and not config.baseline:
            run.write_config(config.model_copy(update={"baseline": True}))
    if workers is not None:
        run = workers.same_run(run)
    assert run is not None
    if data is None:
        with LoadingBar() as bar:
            data = load_data(run.config(), bar.show)

    # From here on TensorFlow is needed; what can be refused without it has been.
    from rbnn.train.report import comparison_table
    from rbnn.train.session import train as train_run

    rows = train_run(run, data, workers)
    if workers is not None and not workers.chief:
        return
    if as_json:
        document = {
            "run": str(run.folder),
            "tasks": [{**dataclasses.asdict(row), "difference": row.difference} for row in rows],
        }
        print(json.dumps(document, indent=2))
    else:
        console = options.output()
        console.print(comparison_table(rows))
        console.print(f"Run: {run.folder}", highlight=False, soft_wrap=True)


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("train")(train)
