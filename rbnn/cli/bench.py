"""``rbnn bench``: what layers and networks cost."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rbnn.cli import options
from rbnn.cli.bench_accuracy import accuracy
from rbnn.cli.bench_audit import audit
from rbnn.cli.bench_fingerprint import fingerprint
from rbnn.cli.bench_host import host
from rbnn.cli.bench_mlperf import data, mlperf
from rbnn.cli.bench_peers import peers
from rbnn.cli.bench_registry import registry
from rbnn.cli.bench_theft import theft
from rbnn.cli.bench_train import train
from rbnn.cli.options import BoardOption, JsonOption, PortOption
from rbnn.image.defaults import MEASURED_BOARDS


def device(
    board: BoardOption = options.DEFAULT_BOARD,
    arch: Annotated[
        str | None,
        typer.Option("--arch", help="Network to measure, as for rbnn train; default: resnet."),
    ] = None,
    width: Annotated[int | None, typer.Option(help="Its width; default: the network's.")] = None,
    depth: Annotated[int | None, typer.Option(help="Its depth; default: the network's.")] = None,
    stages: Annotated[int | None, typer.Option(help="Its stages; default: the network's.")] = None,
    stem_bits: Annotated[
        int | None, typer.Option(help="Of a weight in the first layer, 1 or 8; default: 1.")
    ] = None,
    classifier_bits: Annotated[
        int | None, typer.Option(help="Of a weight in the last layer, 1 or 8; default: 1.")
    ] = None,
    run: Annotated[
        Path | None,
        typer.Option("--run", help="Use the shape and cipher of this trained run instead."),
    ] = None,
    layers_only: Annotated[
        bool, typer.Option("--layers-only", help="Measure only the standard layers.")
    ] = False,
    inputs: Annotated[
        int,
        typer.Option(min=0, help="Random inputs for which the counts must be identical."),
    ] = 20,
    port: PortOption = None,
    output: Annotated[
        Path | None, typer.Option("--out", help="Also write the JSON document to this file.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Count instructions (emulated) or cycles (real board) of layers and of a network.

    Weights and keys are random: no count depends on them. Fails if a result is wrong.
    """
    from rbnn.bench.measure import NetworkShape, run_bench
    from rbnn.bench.tables import bench_report
    from rbnn.files import write_atomic
    from rbnn.image.board import load_board
    from rbnn.runs.run import choose_run
    from rbnn.runs.settings import TABLE

    if layers_only or run is not None:
        chosen = "--layers-only" if layers_only else "--run"
        named = {"--arch": arch, "--width": width, "--depth": depth, "--stages": stages,
                 "--stem-bits": stem_bits, "--classifier-bits": classifier_bits}  # fmt: skip
        options.refuse_beside(chosen, {**named, "--run": run} if layers_only else named)
    stem_bits, classifier_bits = stem_bits or 1, classifier_bits or 1
    for name, bits in (("stem_bits", stem_bits), ("classifier_bits", classifier_bits)):
        TABLE[name].check(bits)
    manifest = load_board(board)
    arch = arch or "resnet"
    shape: NetworkShape | None = NetworkShape(
        arch, width, depth, stages, stem_bits=stem_bits, classifier_bits=classifier_bits
    )
    command = f"rbnn bench device --board {board} --arch {arch}"
    command += f" --width {width}" if width else ""
    command += f" --depth {depth}" if depth else ""
    command += f" --stages {stages}" if stages else ""
    command += f" --stem-bits {stem_bits}" if stem_bits > 1 else ""
    command += f" --classifier-bits {classifier_bits}" if classifier_bits > 1 else ""
    if run is not None:
        shape = NetworkShape.of_run(choose_run(run, options.DEFAULT_RUNS))
        command = f"rbnn bench device --board {board} --run {run}"
    if layers_only:
        shape, command = None, f"rbnn bench device --board {board} --layers-only"
    figures = run_bench(
        manifest,
        shape,
        inputs=inputs,
        application=not layers_only,
        port=port,
        command=f"{command} --inputs {inputs}",
        say=options.say,
    )
    document = figures.model_dump_json(indent=2)
    if output is not None:
        write_atomic(output, document + "\n")
    if as_json:
        print(document)
    else:
        options.output().print(bench_report(figures))


def document(
    board: Annotated[
        str,
        typer.Option(
            "--board", help="Emulated boards, separated by commas; the goals apply to the first."
        ),
    ] = ",".join(MEASURED_BOARDS),
    inputs: Annotated[int, typer.Option(min=0, help="Random inputs, as for bench device.")] = 1000,
    output: Annotated[Path, typer.Option("--out", help="File to write.")] = Path(
        "docs/benchmarks.md"
    ),
) -> None:
    """Measure the shipped and a smaller network on several boards; write docs/benchmarks.md."""
    from rbnn.bench import document as benchmarks
    from rbnn.bench.figures import BenchFigures
    from rbnn.bench.goals import missed_goals
    from rbnn.bench.measure import SHIPPED, SMALLER, NetworkShape, run_bench
    from rbnn.files import write_atomic
    from rbnn.image.board import load_board

    manifests = [load_board(name) for name in board.split(",")]

    def measure(shape: NetworkShape, inputs: int, application: bool) -> list[BenchFigures]:
        sizes = f"--width {shape.width} --depth {shape.depth} --stages {shape.stages}"
        ends = f" --stem-bits {shape.stem_bits} --classifier-bits {shape.classifier_bits}"
        sizes += ends if (shape.stem_bits, shape.classifier_bits) != (1, 1) else ""
        options_used = f"--arch {shape.architecture} {sizes} --inputs {inputs}"
        return [
            run_bench(
                one,
                shape,
                inputs=inputs,
                application=application,
                port=None,
                command=f"rbnn bench device --board {one.name} {options_used}",
                say=options.say,
            )
            for one in manifests
        ]

    measured = measure(SHIPPED, inputs, True)
    smaller = measure(SMALLER, 0, False)
    write_atomic(output, benchmarks.document(measured, smaller))
    options.output().print(benchmarks.summary_table(measured))
    for line in missed_goals(measured[0]):
        options.say(f"missed: {line}")
    options.say(f"Wrote {output}.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="What layers and networks cost.", no_args_is_help=True)
    group.command("device")(device)
    group.command("document")(document)
    group.command("host")(host)
    group.command("fingerprint")(fingerprint)
    group.command("accuracy")(accuracy)
    group.command("theft")(theft)
    group.command("audit")(audit)
    group.command("peers")(peers)
    group.command("train")(train)
    group.command("registry")(registry)
    group.command("mlperf", cls=options.UserKeyCommand)(mlperf)
    group.command("mlperf-data")(data)
    app.add_typer(group, name="bench")
