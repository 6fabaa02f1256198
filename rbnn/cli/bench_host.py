"""``rbnn bench host``: Keras and the C engine on this machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from rbnn.cli import options
from rbnn.cli.options import JsonOption
from rbnn.extras import require_training


def host(
    arch: Annotated[
        list[str] | None,
        typer.Option("--arch", help="Network with random weights; may be repeated."),
    ] = None,
    run: Annotated[
        Path | None, typer.Option("--run", help="Measure this trained run instead.")
    ] = None,
    images: Annotated[int, typer.Option(min=1, help="Images to evaluate.")] = 2000,
    compared: Annotated[
        int, typer.Option(min=1, help="How many of them the integer reference also computes.")
    ] = 500,
    as_json: JsonOption = False,
) -> None:
    """Measure how many images per second Keras and the C engine evaluate.

    Keras is measured twice: in plain float32, its fastest, and as rbnn trains it, which repeats the
    device's integers. Default: vgg and resnet at their default sizes. Fails if the C engine's
    numbers differ from the reference's.
    """
    require_training()
    from rbnn.bench.host import bench_host
    from rbnn.bench.host_tables import host_table
    from rbnn.runs.run import choose_run

    if run is not None:
        options.refuse_beside("--run", {"--arch": arch})
    trained = None if run is None else choose_run(run, options.DEFAULT_RUNS)
    results = bench_host(arch or ("vgg", "resnet"), trained, images, compared, options.say)
    if as_json:
        print(json.dumps({"networks": [one.model_dump() for one in results]}, indent=2))
    else:
        options.output().print(host_table(results))
