"""``rbnn audit``: look for backdoors in the bits that will be flashed."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from rbnn.cli import options
from rbnn.cli.options import JsonOption, RunsOption


def audit(
    model: Annotated[
        Path | None,
        typer.Argument(
            help="Run folder or name, export folder, or packed model; default: the newest run."
        ),
    ] = None,
    task: Annotated[
        list[str] | None,
        typer.Option("--task", help="Task to audit; may be repeated. Default: all."),
    ] = None,
    quick: Annotated[
        bool,
        typer.Option("--quick", help="At most a minute or so a task: forward passes only."),
    ] = False,
    samples: Annotated[
        str | None,
        typer.Option(
            help="Clean samples of your own in place of the task's data, such as "
            "kws=path/to/folder; its test/ is used."
        ),
    ] = None,
    secrets: Annotated[
        Path | None,
        typer.Option(help="Task secrets (JSON) that open an export without its run."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder of audit.html, .md and .json; default: RUN/audit or audit/NAME."),
    ] = None,
    runs: RunsOption = options.DEFAULT_RUNS,
    as_json: JsonOption = False,
) -> None:
    """Look for backdoors in the integers that a device will compute with, task by task.

    Exit code 0: no trigger of these kinds found; 1: found; 2: could not tell. docs/audit.md says
    what each check cannot see.
    """
    from rbnn.audit.audit import audit as audit_subject
    from rbnn.audit.errors import AuditError
    from rbnn.audit.page import tables, write_report
    from rbnn.audit.subject import open_subject
    from rbnn.errors import RbnnError
    from rbnn.tasks import parse_specs
    from rbnn.tasks.loading_bar import LoadingBar

    try:
        with LoadingBar() as bar:
            subject = open_subject(
                model,
                runs,
                names=task or (),
                samples=() if samples is None else parse_specs(samples),
                secrets_file=secrets,
                progress=bar.show,
            )
            command = shlex.join(["rbnn", *sys.argv[1:]])
            report = audit_subject(subject, command, quick=quick, progress=bar.show)
        folder = out or subject.folder
        files = write_report(report, folder)
    except AuditError:
        raise
    except RbnnError as error:  # exit code 1 says that something was found
        raise AuditError(error.what, error.fix) from error
    except Exception as error:  # so would Python's own
        raise AuditError(
            f"The audit broke down: {type(error).__name__}: {error}.",
            "Report it, with the model if you can.",
        ) from error
    if as_json:
        print(report.model_dump_json(indent=2))
    else:
        options.output().print(tables(report))
        print(f"Page: {files[0]}")
    if report.exit_code:
        raise typer.Exit(report.exit_code)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("audit")(audit)
