"""``rbnn report``: a run as one self-contained HTML page and a Markdown model card."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Annotated, Literal

import typer

from rbnn.cli import options
from rbnn.cli.options import BoardOption, JsonOption, RegistryOption, RunsOption
from rbnn.extras import require_training


def report(
    run: Annotated[
        Path | None, typer.Argument(help="Run folder or name; default: the newest.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="HTML file to write; default: RUN/report.html.")
    ] = None,
    card: Annotated[
        Path | None,
        typer.Option(
            "--card", help="Model card to write; default: MODEL_CARD.md next to the page."
        ),
    ] = None,
    board: BoardOption = options.DEFAULT_BOARD,
    engine: Annotated[
        Literal["auto", "keras", "c"],
        typer.Option(
            help="What classifies the test sets: Keras, or the device's integer arithmetic in C "
            "(much faster); auto uses C if the run has been exported."
        ),
    ] = "auto",
    samples: Annotated[
        int,
        typer.Option(min=0, max=50, help="Samples to show for each task, right and wrong."),
    ] = 6,
    wrong_secrets: Annotated[
        int, typer.Option(min=0, help="Wrong secrets to force on each task; 0 for none.")
    ] = 0,
    provider_key: Annotated[
        Path,
        typer.Option("--provider-key", help="Licence provider's key; only its .pub file is read."),
    ] = options.DEFAULT_PROVIDER_KEY,
    registry: RegistryOption = options.DEFAULT_REGISTRY,
    runs: RunsOption = options.DEFAULT_RUNS,
    as_json: JsonOption = False,
) -> None:
    """Write what is known about RUN to an HTML page and a model card.

    The page loads nothing from elsewhere and holds nothing secret; it reads well on a phone and in
    print. RUN need not be exported or finished: the page says what is missing.
    """
    require_training()
    from rbnn.report.gather import (
        CARD_FILE,
        PAGE_FILE,
        Wishes,
        check_files,
        notes,
        report_run,
        write_report,
    )
    from rbnn.runs.run import choose_run
    from rbnn.tasks.loading_bar import LoadingBar

    chosen = choose_run(run, runs)
    page_file = chosen.folder / PAGE_FILE if out is None else out
    card_file = page_file.parent / CARD_FILE if card is None else card
    check_files(page_file, card_file)
    wishes = Wishes(
        board=board,
        engine=engine,
        samples=samples,
        wrong_secrets=wrong_secrets,
        provider_key=provider_key,
        registry=registry,
    )
    with LoadingBar() as bar:
        made = report_run(chosen, wishes, bar.show)
    write_report(made, page_file, card_file)
    for note in notes(made, shlex.quote(str(chosen.folder))):
        options.say(note)
    if as_json:
        files = {"page": str(page_file), "card": str(card_file)}
        print(json.dumps({**files, **made.model_dump(mode="json")}, indent=2))
    else:
        print(f"Report: {page_file}\nModel card: {card_file}")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("report")(report)
