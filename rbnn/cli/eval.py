"""``rbnn eval``: accuracy of a run, with right and wrong secrets, here or on a board."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from rbnn.cli import options
from rbnn.cli.options import (
    DeviceFolderOption,
    EmulatedOption,
    JsonOption,
    PortOption,
    UserKeyOption,
)

if TYPE_CHECKING:
    from rich.table import Table

    from rbnn.device.evaluation import BoardAccuracy
    from rbnn.frozen import Frozen

WRONG_SECRETS = 20
SAMPLES = 200


def evaluate(
    run: Annotated[
        Path | None, typer.Argument(help="Run folder or name; default: the newest.")
    ] = None,
    wrong_secrets: Annotated[
        int | None,
        typer.Option(
            min=0,
            help=f"Wrong secrets to force on each task; 0 for none. Default: {WRONG_SECRETS}.",
        ),
    ] = None,
    engine: Annotated[
        Literal["keras", "reference", "c"] | None,
        typer.Option(
            help="Keras (the default), or the device's integer arithmetic in NumPy or (by far the "
            "fastest) in C."
        ),
    ] = None,
    board: Annotated[
        str | None, typer.Option(help="Measure on this board instead; it must hold RUN.")
    ] = None,
    samples: Annotated[
        int | None,
        typer.Option(
            min=0, help=f"With --board: test samples per task; 0 for all. Default: {SAMPLES}."
        ),
    ] = None,
    user_key: UserKeyOption = None,
    port: PortOption = None,
    device_folder: DeviceFolderOption = None,
    emulated: EmulatedOption = False,
    as_json: JsonOption = False,
) -> None:
    """Measure every task of RUN on its test set.

    If a board fails, the tasks that it had finished are printed.
    """
    if board is None:
        only: dict[str, object] = {"--samples": samples, "--user-key": user_key, "--port": port}
        only |= {"--device-folder": device_folder, "--emulated": emulated or None}
        options.refuse_without("--board", only)
    else:
        options.refuse_beside("--board", {"--wrong-secrets": wrong_secrets, "--engine": engine})
    from rbnn.runs.figures import unfinished
    from rbnn.runs.run import choose_run
    from rbnn.runs.start import load_data
    from rbnn.tasks.loading_bar import LoadingBar

    trained = choose_run(run, options.DEFAULT_RUNS)
    if note := unfinished(trained):
        options.say(note)

    failed: dict[str, str] = {}

    def show(where: dict[str, str], rows: Sequence[Frozen], tables: Sequence[Table]) -> None:
        if as_json:
            found = [row.model_dump(mode="json") for row in rows]
            document = {"run": str(trained.folder), **where, "tasks": found, **failed}
            print(json.dumps(document, indent=2))
            return
        for table in tables:
            options.output().print(table)

    if board is not None:
        from rbnn.device.run_evaluation import accuracy_table, evaluate_run
        from rbnn.errors import RbnnError

        measured: list[BoardAccuracy] = []
        try:
            with LoadingBar() as bar:
                data = load_data(trained.config(), bar.show)
                key = options.user_key_loader(user_key)
                target = options.target(board, port, device_folder, emulated)
                count = SAMPLES if samples is None else samples
                with target.open() as session:
                    for one in evaluate_run(session, trained, data, count, key, bar.show):
                        measured.append(one)  # one by one: each outlives an error in the next
        except RbnnError as error:
            if measured:
                error.what += (
                    f" {len(measured)} of {len(data)} tasks were measured; see the output."
                )
            failed = {"error": error.what, "try": error.fix}
            raise
        finally:
            if measured:
                show({"board": board}, measured, [accuracy_table(measured)])
        return

    with LoadingBar() as bar:
        data = load_data(trained.config(), bar.show)
        predictor = None
        engine = engine or "keras"
        if engine != "keras":
            from rbnn.export.integer_predictor import integer_predictor

            predictor = integer_predictor(trained, engine)
        from rbnn.train.assess import assess, require_passed
        from rbnn.train.report import assessment_tables

        tries = WRONG_SECRETS if wrong_secrets is None else wrong_secrets
        reports = assess(trained, data, tries, predictor, bar.show)
    show({"engine": engine}, reports, assessment_tables(reports))
    require_passed(reports)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("eval", cls=options.UserKeyCommand)(evaluate)
