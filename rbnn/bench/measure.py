"""``rbnn bench device``: everything that is measured on one board."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rbnn.bench.application import measure_application
from rbnn.bench.board import PROGRAM, bench_board, check, running
from rbnn.bench.figures import BenchApplication, BenchFigures, BenchLayer, BenchNetwork
from rbnn.bench.layers import LayerCase, standard_cases
from rbnn.bench.rows import application_figures, with_peers
from rbnn.bench.session import Bench
from rbnn.bench.source import NetworkCase, write_bench
from rbnn.container.work import most_work_bytes
from rbnn.engine.golden import layer_crc32
from rbnn.engine.reference import Reference
from rbnn.export.export import NO_PROVIDER, export_run, make_container
from rbnn.image import platformio, sizes
from rbnn.image.board import Board
from rbnn.image.memory import plan_memory
from rbnn.image.toolchain import require
from rbnn.nets.own.stored import StoredNetwork
from rbnn.runs.parameters import ModelParameters
from rbnn.runs.run import Run
from rbnn.runs.settings import CipherName
from rbnn.runs.synthetic import write_synthetic_run

Say = Callable[[str], None]


@dataclass(frozen=True)
class NetworkShape:
    """Which network to measure; its weights are random, as no count depends on them.

    Args:
        architecture: as in ``--arch``.
        width: None for the architecture's default.
        depth: as ``width``.
        stages: as ``width``.
        input_shape: height, width, channels.
        classes: of each task.
        cipher: of the key stream.
        stem_bits: of a weight in the first layer, 1 or 8.
        classifier_bits: of a weight in the last layer.
        network: the whole network of a run with one of the user's own; it has no width, depth and
            stages.
    """

    architecture: str
    width: int | None = None
    depth: int | None = None
    stages: int | None = None
    input_shape: tuple[int, int, int] = (32, 32, 3)
    classes: int = 10
    cipher: CipherName = "chacha20"
    stem_bits: int = 1
    classifier_bits: int = 1
    network: StoredNetwork | None = None

    @classmethod
    def of_run(cls, run: Run) -> NetworkShape:
        """The shape of a trained run; its parameters and secrets are not used."""
        config = run.config()
        return cls(
            config.architecture,
            config.width,
            config.depth,
            config.stages,
            config.input_shape,
            config.max_classes,
            config.cipher,
            config.stem_bits,
            config.classifier_bits,
            config.network,
        )


SHIPPED = NetworkShape("resnet", 64, 8, 3, stem_bits=8, classifier_bits=8)
"""The seven-task model of ``models/seven``; docs/benchmarks.md leads with it."""
SMALLER = NetworkShape("resnet", 64, 6, 2)


def run_bench(
    board: Board,
    shape: NetworkShape | None,
    *,
    inputs: int,
    application: bool,
    port: str | None,
    command: str,
    say: Say,
) -> BenchFigures:
    """Measure the standard layers, the key stream and a network.

    Args:
        board: emulated, or real and plugged in.
        shape: of the network; None to measure only the standard layers.
        inputs: random inputs over which the counts must stay the same; 0 for none.
        application: also build the product firmware with the network, and run it if the board is
            emulated.
        port: serial port of a real board.
        command: that repeats this measurement.
        say: told of each step.

    Raises:
        RbnnError: no board, a build or a measurement failed, or a result was wrong.
    """
    check(board, port)
    with tempfile.TemporaryDirectory(prefix="rbnn-bench-") as temporary:
        place = Path(temporary)
        run = None if shape is None else _synthetic(place / "run", shape)
        network = None if run is None else _network(run)
        cases = standard_cases()
        folder = place / "bench"
        work_bytes = _work_bytes(board, network, cases)
        write_bench(folder, cases, network, work_bytes)
        say(f"Building the bench application for {board.name}.")
        build = platformio.build(bench_board(board), folder)
        say(f"Measuring on {board.name}; every result is compared with the integer reference.")
        with running(board, build, folder, port) as line:
            bench = Bench(line, board)
            unit = bench.counter.unit
            layers = bench.layers(cases)
            key, key_streams = bench.key()
            whole: BenchNetwork | None = None
            rows: list[BenchLayer] = []
            if run is not None and network is not None:
                topology = network.container.topology
                whole, rows = bench.network(run.config(), topology, _crcs(network))
            spreads = []
            if inputs:
                say(f"Counting over {inputs:,} random inputs.")
                spreads.append(bench.inputs(inputs, network=False))
            if inputs and network is not None:
                spreads.append(bench.inputs(inputs, network=True))
        product = _application(run, board, place, say) if run and application else None
    if unit == "instructions":
        layers = [with_peers(layer) for layer in layers]
    return BenchFigures(
        board=board.name,
        title=board.title,
        cpu=board.cpu,
        unit=unit,
        work_bytes=work_bytes,
        layers=(*layers, *rows),
        network=whole,
        key=key,
        key_streams=tuple(key_streams),
        spreads=tuple(spreads),
        application=product,
        compiler=version(str(require("arm-none-eabi-gcc"))),
        emulator=version(PROGRAM) if board.is_emulated_only else None,
        command=command,
    )


def version(program: str) -> str:
    """The first line that ``program --version`` prints."""
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    return done.stdout.partition("\n")[0].strip()


def _synthetic(folder: Path, shape: NetworkShape) -> Run:
    return write_synthetic_run(
        folder,
        shape.architecture,
        width=shape.width,
        depth=shape.depth,
        stages=shape.stages,
        input_shape=shape.input_shape,
        classes=shape.classes,
        cipher=shape.cipher,
        stem_bits=shape.stem_bits,
        classifier_bits=shape.classifier_bits,
        network=shape.network,
    )


def _network(run: Run) -> NetworkCase:
    config, secrets = run.config(), run.secrets()
    container = make_container(
        config, ModelParameters.load(run.parameters_file), secrets, NO_PROVIDER
    )
    image = np.random.default_rng(1).integers(0, 256, config.input_shape, dtype=np.uint8)
    return NetworkCase(container, secrets[config.tasks[0].name], image)


def _work_bytes(board: Board, network: NetworkCase | None, cases: Sequence[LayerCase]) -> int:
    """Working memory as a build assigns it for the network, or what the layers can use."""
    if network is not None:
        return plan_memory(board, network.container).work
    most = max(most_work_bytes(case.layer) for case in cases)
    return most if board.work_bytes is None else min(most, board.work_bytes)


def _crcs(network: NetworkCase) -> list[int]:
    """CRC-32 of every layer's output, by the integer reference."""
    reference = Reference.open(network.container, 0, network.secret)
    crcs: list[int] = layer_crc32(reference.infer(network.image[None]))[0].tolist()
    return crcs


def _application(run: Run, board: Board, place: Path, say: Say) -> BenchApplication:
    if board.is_emulated_only:
        cost = measure_application(run, board, place / "application", say)
        return application_figures(cost.sizes, cost)
    config = run.config()
    shape = (1, *config.input_shape)
    samples = {task.name: np.zeros(shape, np.uint8) for task in config.tasks}
    export = export_run(run, NO_PROVIDER, samples=samples)
    say(f"Building the product firmware for {board.name}.")
    return application_figures(sizes.report(platformio.build(board, export.folder), export), None)
