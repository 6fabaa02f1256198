"""``rbnn bench mlperf`` and ``mlperf-data``: the MLPerf Tiny runner on an emulated board."""

from __future__ import annotations

import json
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from rbnn.cli import options
from rbnn.cli.options import BoardOption, DeviceFolderOption, JsonOption, UserKeyOption

DEFAULT_FOLDER = Path("mlperf")
DEFAULT_DATA = DEFAULT_FOLDER / "data"


class ModeName(StrEnum):
    """What the runner measures."""

    ACCURACY = "accuracy"
    PERFORMANCE = "performance"


def data(
    tasks: Annotated[
        str, typer.Option(help="Tasks, such as cifar,kws or mine=path/to/folder.")
    ] = "cifar,kws",
    benchmark: options.BenchmarkOption = None,
    samples: Annotated[
        int, typer.Option(min=0, help="Test samples of each task; 0 for all.")
    ] = 200,
    out: Annotated[Path, typer.Option("--out", help="Folder to write.")] = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """Write test samples as the MLPerf Tiny runner reads them."""
    from rbnn.bench.mlperf.dataset import choose_benchmarks, write_dataset
    from rbnn.tasks import parse_specs
    from rbnn.tasks.load import load
    from rbnn.tasks.loading_bar import LoadingBar

    specs = {spec.name: spec for spec in parse_specs(tasks)}
    chosen = choose_benchmarks(list(specs), options.benchmarks(benchmark))
    written = []
    for task, stands_for in chosen.values():
        with LoadingBar() as bar:
            loaded = load(specs[task], progress=bar.show)
        written.append(write_dataset(out, loaded, stands_for, samples))
    if as_json:
        document = {"datasets": [one.model_dump(mode="json") for one in written]}
        print(json.dumps(document, indent=2))
        return
    for one in written:
        print(f"{one.benchmark}: {one.samples:,} samples of task {one.task} in {one.folder}")


def mlperf(
    runner: Annotated[
        Path,
        typer.Option("--runner", help="The runner: benchmark/runner of a clone of mlcommons/tiny."),
    ],
    task: Annotated[str, typer.Option("--task", help="Task of the flashed model to measure.")],
    mode: Annotated[ModeName, typer.Option("--mode", help="What to measure.")] = ModeName.ACCURACY,
    samples: Annotated[
        Path, typer.Option("--data", help="Folder that `rbnn bench mlperf-data` has written.")
    ] = DEFAULT_DATA,
    user_key: UserKeyOption = None,
    board: BoardOption = options.DEFAULT_BOARD,
    device_folder: DeviceFolderOption = None,
    tests: Annotated[
        Path | None,
        typer.Option("--tests", help="Test script in place of the runner's own for the mode."),
    ] = None,
    python: Annotated[
        str | None,
        typer.Option("--python", help="Python that runs the runner; default: the one of rbnn."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", help=f"New folder for log and results; default: one in {DEFAULT_FOLDER}."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Unlock a task on an emulated board, and have the MLPerf Tiny runner measure it.

    A real board needs no help from rbnn: docs/mlperf.md.
    """
    from rbnn.bench.mlperf.run import DISCLAIMER, MlperfFigures, Runner, read_results, run_runner
    from rbnn.bench.mlperf.run import unlock as unlock_task
    from rbnn.errors import RbnnError

    if tests is not None and not tests.is_file():
        raise RbnnError(f"There is no test script {tests}.", "Omit --tests for the runner's own.")
    stamp = datetime.now().strftime("%Y-%m-%d-%H%M%S")
    place = out or DEFAULT_FOLDER / f"{stamp}-{task}-{mode}"
    if place.exists():
        raise RbnnError(f"{place} exists already.", "Name a new folder with --out.")
    found = Runner.find(runner, python)
    target = options.emulated_target(board, device_folder)
    benchmark = unlock_task(target, task, options.user_key_loader(user_key), samples)
    options.say(f"Task {task} is active on {board}, as {benchmark}; starting the runner.")
    session, results = run_runner(
        *(found, target.serial_path(), samples, mode.value, place, tests), quiet=as_json
    )
    figures = MlperfFigures(
        board=board,
        task=task,
        benchmark=benchmark,
        mode=mode.value,
        session=session,
        **read_results(results),
    )
    if as_json:
        print(figures.model_dump_json(indent=2))
        return
    for name, value, unit in (
        ("accuracy", figures.accuracy, "%"),
        ("AUC", figures.auc, ""),
        ("throughput", figures.throughput, "inferences/s, by the emulated clock"),
    ):
        if value is not None:
            print(f"{name} {value:g} {unit}".rstrip())
    print(f"Session: {figures.session}")
    print(DISCLAIMER)
