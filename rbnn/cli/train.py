"""``rbnn train``: one set of binary parameters for several tasks."""

from __future__ import annotations

import dataclasses
import functools
import json
import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rbnn.cli import options
from rbnn.cli.options import JsonOption, UntilOption
from rbnn.cli.training import Given, training_options
from rbnn.errors import RbnnError
from rbnn.extras import require_training
from rbnn.runs.errors import TrainingPausedError
from rbnn.runs.recipes import recipe_help, with_recipe
from rbnn.runs.settings import TABLE, Settings

if TYPE_CHECKING:
    from rbnn.image.board import Board
    from rbnn.runs.config import RunConfig


@training_options(
    after={"baseline": "resume"},
    negatable=True,
    helps={
        "architecture": f"{TABLE['architecture'].help[:-1]}; or a .py or .json file that describes "
        "a network of your own, see docs/own-networks.md."
    },
)
def train(
    *,
    tasks: Annotated[
        str | None,
        typer.Option(
            help="Tasks, such as digits,words or cifar,kws,mine=path/to/folder. With --resume: "
            "where the run's data are now."
        ),
    ] = None,
    recipe: Annotated[str | None, typer.Option(help=recipe_help())] = None,
    given: Given,
    out: Annotated[
        Path | None, typer.Option(help=f"Folder of all runs. Default: {options.DEFAULT_RUNS}.")
    ] = None,
    resume: Annotated[
        Path | None,
        typer.Option(help="Continue this run (folder or name), with the settings that it has."),
    ] = None,
    distribute: Annotated[
        bool,
        typer.Option(
            "--distribute",
            help="Train on all GPUs of this machine or, started on each with TF_CONFIG set, on "
            "several machines that share the run's folder. See docs/distribution.md.",
        ),
    ] = False,
    board: Annotated[
        str | None,
        typer.Option(
            "--board", help="Warn before training if the network will not fit this board."
        ),
    ] = None,
    until: UntilOption = None,
    forget_own: Annotated[
        bool,
        typer.Option(
            "--forget-own",
            help="At the end, delete the single-task networks and float teachers, which no key "
            "protects; also of a finished run, with --resume.",
        ),
    ] = False,
    repair: Annotated[
        str | None,
        typer.Option(
            help="With --resume: fine-tune this task's norms, with held-out samples, against a "
            "backdoor; the result is a new run."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Train one shared network for all tasks named, into a run folder."""
    require_training()
    if repair is not None:
        if resume is None:
            options.refuse_without("--resume", {"--repair": repair})
        else:
            beside = {TABLE[name].option: value for name, value in given.items()}
            beside |= {"--tasks": tasks, "--recipe": recipe, "--out": out, "--board": board}
            beside |= {"--until": until, "--distribute": distribute or None}
            options.refuse_beside("--repair", beside | {"--forget-own": forget_own or None})
            repair_task(resume, repair, as_json)
            return
    if tasks is None and resume is None:
        raise RbnnError(
            "Name either tasks to train or a run to resume.",
            "rbnn train --tasks digits,words, or rbnn train --resume runs/NAME",
        )
    fixed = [TABLE[name].option for name in given if TABLE[name].fixed]
    fixed += [] if out is None else ["--out"]
    fixed += [] if recipe is None else ["--recipe"]
    if resume is not None and fixed:
        raise RbnnError(
            f"A resumed run keeps its settings; {fixed[0]} cannot change.",
            f"rbnn train --resume {resume}; for other settings, train a new run",
        )
    from rbnn.image.board import load_board
    from rbnn.nets.own.file import find_network
    from rbnn.runs.run import choose_run
    from rbnn.runs.start import check, load_data, moved, require_trainable
    from rbnn.runs.teachers import check_files
    from rbnn.tasks import parse_specs
    from rbnn.tasks.loading_bar import LoadingBar
    from rbnn.tasks.overlap import overlap_warnings

    manifest = None if board is None else load_board(board)
    from rbnn.train.interrupt import parse_until

    stop = None if until is None else parse_until(until)
    run = data = workers = None
    if resume is not None:
        run = choose_run(resume, options.DEFAULT_RUNS)
        config = run.config()
        require_trainable(run, config)
        if tasks is not None:
            given["tasks"] = moved(config, parse_specs(tasks)).tasks
    else:
        settings = Settings(**(given if recipe is None else with_recipe(recipe, given)))
        own = find_network(settings.architecture)
        check(settings, own)
        check_files(settings)
        specs = parse_specs(tasks or "")
    if distribute:
        from rbnn.train.distribution import join

        workers = join(os.environ.get("TF_CONFIG"), functools.partial(typer.echo, err=True))
    if workers is None or workers.chief:
        if run is None:
            from rbnn.api.begin import begin

            root = out or options.DEFAULT_RUNS
            run, data = begin(specs, settings, root, recipe=recipe, say=options.say, own=own)
        elif any(getattr(config, name) != value for name, value in given.items()):
            config = config.model_copy(update=given)
            with LoadingBar() as bar:
                data = load_data(config, bar.show)
            run.write_config(config)
        if manifest is not None:
            warn_if_too_large(manifest, run.config())
    if workers is not None:
        run = workers.same_run(run)
    assert run is not None
    if data is None:
        with LoadingBar() as bar:
            data = load_data(run.config(), bar.show)
    if workers is None or workers.chief:
        for warning in overlap_warnings(data):
            typer.echo(f"warning: {warning}", err=True)

    # What can be refused without TensorFlow, which takes seconds to import, is refused above.
    from rbnn.train.baseline import forget_own as forget
    from rbnn.train.baseline import unprotected
    from rbnn.train.report import comparison_table
    from rbnn.train.session import train as train_run

    if workers is None or workers.chief:
        options.say(f"Training {run.folder}.")
    try:
        rows = train_run(run, data, workers, stop)
    except TrainingPausedError as error:
        options.paused(error, as_json and (workers is None or workers.chief))
        return
    if workers is not None and not workers.chief:
        return
    if forget_own:
        for gone in forget(run):
            options.say(f"deleted {gone}")
    elif note := unprotected(run):
        options.say(note)
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
        chosen = "" if board is None else f" --board {board}"
        folder = shlex.quote(str(run.folder))
        deployable = run.config().scheme == "xor"
        following = f"flash {folder}{chosen} --user-key" if deployable else f"report {folder}"
        print(f"Continue with: rbnn {following}")


def repair_task(resume: Path, task: str, as_json: bool) -> None:
    """Repair one task of a run, and say what came of it."""
    from rbnn.audit.repair import repair, table
    from rbnn.runs.run import choose_run
    from rbnn.tasks.loading_bar import LoadingBar

    with LoadingBar() as bar:
        made, report = repair(choose_run(resume, options.DEFAULT_RUNS), task, bar.show)
    if as_json:
        found = {"run": str(made.folder), "verdict": report.verdict}
        print(json.dumps({**found, **report.model_dump(mode="json")}, indent=2))
        return
    options.output().print(table(report).rich())
    print(f"{report.verdict}\nRun: {made.folder}")


def warn_if_too_large(board: Board, config: RunConfig) -> None:
    """Say that a network will not fit, and why; it may still be worth training."""
    from rbnn.image.errors import FitError
    from rbnn.image.fit import check_network
    from rbnn.spec.layout import FrontEnd

    try:
        labels = [task.labels for task in config.tasks]
        sound = any(task.front_end == FrontEnd.LOG_MEL for task in config.tasks)
        check_network(board, config.topology(), labels, takes_sound=sound)
    except FitError as error:
        options.say(f"warning: {error}")


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("train")(train)
