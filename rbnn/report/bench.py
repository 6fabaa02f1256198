"""``rbnn bench device``: everything that is measured on one board."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rbnn.device.bench import Bench, Inference, LayerCount
from rbnn.device.bench_application import ApplicationCost, measure_application
from rbnn.device.bench_board import PROGRAM, bench_board, check, running
from rbnn.export.export import NO_PROVIDER, export_run, make_container
from rbnn.export.golden import layer_crc32
from rbnn.export.reference import Reference
from rbnn.export.work import most_work_bytes
from rbnn.image import platformio, sizes
from rbnn.image.bench_layers import LayerCase, standard_cases
from rbnn.image.bench_source import NetworkCase, write_bench
from rbnn.image.board import Board
from rbnn.image.memory import plan_memory
from rbnn.image.paths import cache_folder
from rbnn.image.sizes import SizeReport
from rbnn.image.toolchain import require
from rbnn.nets.topology import Layer, Topology
from rbnn.report import peers
from rbnn.report.bench_figures import (
    BenchApplication,
    BenchFigures,
    BenchLayer,
    BenchNetwork,
)
from rbnn.train.parameters import ModelParameters
from rbnn.train.run import CipherName, Run, RunConfig
from rbnn.train.synthetic import write_synthetic_run

Say = Callable[[str], None]
CODE_PARTS = (sizes.ENGINE, sizes.LINK, sizes.CRYPTO, sizes.KEYS, sizes.LIBRARIES)


@dataclass(frozen=True)
class NetworkShape:
    """Which network to measure; its weights are random, as no count depends on them.

    Args:
        architecture: as in ``--arch``.
        width: None for the architecture's default.
        depth: as ``width``.
        input_shape: height, width, channels.
        classes: of each task.
        cipher: of the key stream.
    """

    architecture: str
    width: int | None = None
    depth: int | None = None
    input_shape: tuple[int, int, int] = (32, 32, 3)
    classes: int = 10
    cipher: CipherName = "chacha20"

    @classmethod
    def of_run(cls, run: Run) -> NetworkShape:
        """The shape of a trained run; its parameters and secrets are left alone."""
        config = run.config()
        return cls(
            config.architecture,
            config.width,
            config.depth,
            config.input_shape,
            config.max_classes,
            config.cipher,
        )


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
        shape: of the network; None to measure the standard layers alone.
        inputs: random inputs over which the counts must stay the same; 0 for none.
        application: build the product's firmware with the network, too, and run it where the
            board is emulated.
        port: serial port of a real board.
        command: with which this can be repeated.
        say: told each step.

    Raises:
        RbnnError: no board, a build or a measurement failed, or a result was wrong.
    """
    check(board, port)
    with tempfile.TemporaryDirectory(prefix="rbnn-bench-") as temporary:
        place = Path(temporary)
        run = None if shape is None else _synthetic(place / "run", shape)
        network = None if run is None else _network(run)
        cases = standard_cases()
        folder = cache_folder() / "bench" / board.name
        work_bytes = _work_bytes(board, network, cases)
        write_bench(folder, cases, network, work_bytes)
        say(f"Building the bench application for {board.name}.")
        build = platformio.build(bench_board(board), folder)
        say(f"Measuring on {board.name}; every result is compared with the integer reference.")
        with running(board, build, folder, port) as line:
            bench = Bench(line, board)
            layers = bench.layers([(case.name, case.crc32) for case in cases])
            key, key_streams = bench.key()
            inference = None if network is None else bench.network(_expected(network))
            spreads = []
            if inputs:
                say(f"Counting over {inputs:,} random inputs.")
                spreads.append(bench.inputs(inputs, network=False))
            if inputs and network is not None:
                spreads.append(bench.inputs(inputs, network=True))
        product = _application(run, board, place, say) if run and application else None
        whole = None if run is None else _network_figures(run.config(), network, inference)
    rows = [_standard(case, count) for case, count in zip(cases, layers, strict=True)]
    if network is not None and inference is not None:
        rows += _rows(network.container.topology, inference.layers)
    return BenchFigures(
        board=board.name,
        title=board.title,
        cpu=board.cpu,
        unit=bench.counter.unit,
        work_bytes=work_bytes,
        layers=tuple(rows),
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
        input_shape=shape.input_shape,
        classes=shape.classes,
        cipher=shape.cipher,
    )


def _network(run: Run) -> NetworkCase:
    config, secrets = run.config(), run.secrets()
    container = make_container(
        config, ModelParameters.load(run.parameters_file), secrets, NO_PROVIDER
    )
    image = np.random.default_rng(1).integers(0, 256, config.input_shape, dtype=np.uint8)
    return NetworkCase(container, secrets[config.tasks[0].name], image)


def _work_bytes(board: Board, network: NetworkCase | None, cases: Sequence[LayerCase]) -> int:
    """Working memory as the build shares it out for the network, or what the layers can use."""
    if network is not None:
        return plan_memory(board, network.container).work
    most = max(most_work_bytes(case.layer) for case in cases)
    return most if board.work_bytes is None else min(most, board.work_bytes)


def layer_name(topology: Topology, number: int) -> str:
    """A network's layer as the figures call it, for example ``resnet/3 conv``."""
    operator = topology.layers[number].op.name.lower().replace("_", "-")
    return f"{topology.architecture}/{number} {operator}"


def _expected(network: NetworkCase) -> list[tuple[str, int]]:
    """Name of each layer and CRC-32 of its output, by the integer reference."""
    reference = Reference.open(network.container, 0, network.secret)
    crcs = layer_crc32(reference.infer(network.image[None]))[0]
    topology = network.container.topology
    return [(layer_name(topology, number), int(crc)) for number, crc in enumerate(crcs)]


def describe_shape(layer: Layer) -> str:
    """For example ``3x3/2 64 -> 128, 8x8``: window and stride, channels, output size."""
    height, width, channels = layer.out_shape
    inputs = (
        layer.in_shape[2]
        if layer.kernel
        else layer.in_shape[0] * layer.in_shape[1] * (layer.in_shape[2])
    )
    window = f"{layer.kernel}x{layer.kernel}" if layer.kernel else ""
    stride = f"/{layer.stride}" if layer.stride > 1 else ""
    pool = f", pool {layer.pool}" if layer.pool > 1 else ""
    size = f", {height}x{width}" if layer.kernel else ""
    return f"{window}{stride} {inputs} -> {channels}{pool}{size}".strip()


def _row(name: str, layer: Layer, count: LayerCount) -> BenchLayer:
    macs = layer.macs
    return BenchLayer(
        name=name,
        operator=layer.op.name.lower(),
        shape=describe_shape(layer),
        macs=macs,
        instructions=count.stream,
        instructions_plain=count.plain,
        instructions_per_mac=count.stream / macs if macs else None,
        instructions_per_mac_plain=count.plain / macs if macs else None,
        instructions_per_mac_resident=count.resident / macs if macs and count.resident else None,
        reconfiguration_share=(count.stream - count.plain) / count.stream,
        crc_ok=True,  # a wrong result ended the measurement
    )


def _standard(case: LayerCase, count: LayerCount) -> BenchLayer:
    goal = peers.GOALS[case.name]
    name, rate = peers.best(case.name)
    return _row(case.name, case.layer, count).model_copy(
        update={
            "goal": goal.stream,
            "goal_plain": goal.plain,
            "peer": name,
            "peer_per_mac": rate,
        }
    )


def _rows(topology: Topology, counts: Sequence[LayerCount]) -> list[BenchLayer]:
    return [
        _row(count.name, layer, count) for layer, count in zip(topology.layers, counts, strict=True)
    ]


def _network_figures(
    config: RunConfig, network: NetworkCase | None, inference: Inference | None
) -> BenchNetwork | None:
    if network is None or inference is None:
        return None
    topology = network.container.topology
    estimate = peers.estimate(topology)
    return BenchNetwork(
        architecture=config.architecture,
        width=config.width,
        depth=config.depth,
        cipher=config.cipher,
        input_shape=topology.input_shape,
        bits=topology.bits,
        macs=topology.macs,
        instructions=inference.stream,
        instructions_plain=inference.plain,
        reconfiguration_share=(inference.stream - inference.plain) / inference.stream,
        peer_instructions=estimate,
        ratio=estimate / inference.stream,
    )


def _application(run: Run, board: Board, place: Path, say: Say) -> BenchApplication:
    if board.is_emulated_only:
        cost = measure_application(run, board, place / "application", say)
        return _application_figures(cost.sizes, cost)
    config = run.config()
    shape = (1, *config.input_shape)
    samples = {task.name: np.zeros(shape, np.uint8) for task in config.tasks}
    export = export_run(run, NO_PROVIDER, samples=samples)
    say(f"Building the product's firmware for {board.name}.")
    return _application_figures(sizes.report(platformio.build(board, export.folder), export), None)


def _application_figures(report: SizeReport, cost: ApplicationCost | None) -> BenchApplication:
    code = sum(part.flash for part in report.parts if part.part in CODE_PARTS)
    return BenchApplication(
        code=code,
        ram=report.ram,
        peak_ram=report.ram - report.stack + cost.stack_used if cost else None,
        stack_used=cost.stack_used if cost else None,
        switch=cost.switch if cost else None,
        inference=cost.inference if cost else None,
        sizes=report,
    )
