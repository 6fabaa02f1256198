"""``rbnn bench audit``: how often the audit finds a backdoor, and how often it cries wolf."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rbnn.cli import options
from rbnn.cli.options import JsonOption
from rbnn.extras import require_training


def audit(
    out: Annotated[
        Path,
        typer.Option(help="Folder of the measurement; an existing measurement is continued."),
    ],
    tasks: Annotated[
        str, typer.Option(help="Tasks to poison, each once for each kind and seed.")
    ] = "fashion,mnist,kws",
    kinds: Annotated[
        str,
        typer.Option(
            help="clean, patch, blended, sine, warp, clean-label, belt, dormant, tone; or all."
        ),
    ] = "all",
    parts: Annotated[
        str,
        typer.Option(
            help="calibration, counted, crossing, repair, development; or all, without development."
        ),
    ] = "all",
    seeds: Annotated[
        int | None,
        typer.Option(
            min=1, help="At most so many networks a kind and task. Default: 7 clean, 4 or 2 others."
        ),
    ] = None,
    steps: Annotated[int, typer.Option(help="Steps of each training.")] = 2400,
    batch: Annotated[int, typer.Option(help="Samples of a task in each step.")] = 64,
    arch: Annotated[str, typer.Option("--arch", help="Architecture of the networks.")] = "resnet",
    width: Annotated[int, typer.Option(help="Its width.")] = 32,
    share: Annotated[float, typer.Option(help="Poisoned training samples, in percent.")] = 10.0,
    target: Annotated[int, typer.Option(help="Number of the class that triggers lead to.")] = 0,
    quick: Annotated[bool, typer.Option("--quick", help="Audit with --quick.")] = False,
    most: Annotated[
        int | None,
        typer.Option(min=1, help="Stop after so many networks; the same command continues."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Train clean and TEST-ONLY poisoned networks, audit each, and count what is found.

    Limits come from the clean networks of calibration, which are not counted. Writes
    audit-bench.json and audit-bench.md to the folder after every network. Fails if all networks are
    done and a goal is missed.
    """
    require_training()
    from rbnn.audit.bench.experiment import AuditBenchSettings, bench_audit, require_goals
    from rbnn.audit.bench.page import bench_tables

    settings = AuditBenchSettings(
        tasks=tasks,
        kinds=kinds,
        parts=parts,
        seeds=seeds,
        steps=steps,
        batch=batch,
        architecture=arch,
        width=width,
        share=share / 100,
        target=target,
        quick=quick,
        most=most,
    )
    report = bench_audit(settings, out, options.say)
    if as_json:
        print(report.model_dump_json(indent=2))
    else:
        options.output().print(bench_tables(report))
    if len(report.results) == sum(report.planned.values()):
        require_goals(report)
