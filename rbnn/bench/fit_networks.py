"""Networks of many shapes, measured layer by layer, for the cost model."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rbnn.bench.board import bench_board, running
from rbnn.bench.figures import BenchLayer, BenchNetwork
from rbnn.bench.layers import LayerCase, make_case
from rbnn.bench.session import Bench
from rbnn.bench.source import NetworkCase, write_bench
from rbnn.container.work import least_work_bytes, most_work_bytes
from rbnn.engine.golden import layer_crc32
from rbnn.engine.reference import Reference
from rbnn.export.export import NO_PROVIDER, make_container
from rbnn.image import platformio
from rbnn.image.board import Board
from rbnn.nets.topology import Layer, Shape, Topology
from rbnn.runs.parameters import ModelParameters
from rbnn.runs.synthetic import write_synthetic_run
from rbnn.spec import operators


@dataclass(frozen=True)
class Subject:
    """One network to measure.

    Args:
        architecture: as in ``--arch``.
        width: of the network.
        depth: of the network; None for the architecture's default.
        work: share of the way from the least useful working memory (0) to the most (1).
        input_shape: height, width, channels.
        classes: of its task.
        ends: bits of a weight in the first and last layer.
    """

    architecture: str
    width: int
    depth: int | None = None
    work: float = 1.0
    input_shape: Shape = (32, 32, 3)
    classes: int = 10
    ends: int = 1


@dataclass(frozen=True)
class MeasuredNetwork:
    """The instructions that one network took, in the order of ``topology.layers``.

    Args:
        topology: with padded channels.
        work_bytes: the working memory that it had.
        network: as a whole.
        layers: one by one.
    """

    topology: Topology
    work_bytes: int
    network: BenchNetwork
    layers: tuple[BenchLayer, ...]


def measure_network(board: Board, subject: Subject, folder: Path) -> MeasuredNetwork:
    """Run a network with random weights on an emulated board; results are checked.

    Args:
        board: emulated.
        subject: the network.
        folder: for the build; another one for each board.

    Raises:
        RbnnError: the build or the measurement failed, or a result was wrong.
    """
    with tempfile.TemporaryDirectory(prefix="rbnn-cost-") as temporary:
        run = write_synthetic_run(
            Path(temporary) / "run",
            subject.architecture,
            width=subject.width,
            depth=subject.depth,
            input_shape=subject.input_shape,
            classes=subject.classes,
            stem_bits=subject.ends,
            classifier_bits=subject.ends,
        )
        config, secrets = run.config(), run.secrets()
        parameters = ModelParameters.load(run.parameters_file)
        container = make_container(config, parameters, secrets, NO_PROVIDER)
    image = np.random.default_rng(1).integers(0, 256, config.input_shape, dtype=np.uint8)
    network = NetworkCase(container, secrets[config.tasks[0].name], image)
    least, most = work_range(container.topology)
    work = (least + round((most - least) * subject.work)) // 4 * 4
    write_bench(folder, [_small_case()], network, work)
    build = platformio.build(bench_board(board), folder)
    reference = Reference.open(container, 0, network.secret)
    crcs = layer_crc32(reference.infer(image[None]))[0].tolist()
    with running(board, build, folder, None) as line:
        whole, layers = Bench(line, board).network(config, container.topology, crcs)
    return MeasuredNetwork(container.topology, work, whole, tuple(layers))


def measure_layers(
    board: Board, layers: Sequence[Layer], work_bytes: int, folder: Path
) -> list[BenchLayer]:
    """Run layers with random weights one by one.

    Args:
        board: emulated.
        layers: of the kinds that :func:`rbnn.bench.layers.make_case` supports.
        work_bytes: working memory of each.
        folder: for the build.

    Raises:
        RbnnError: the build or the measurement failed, or a result was wrong.
    """
    rng = np.random.default_rng(1)
    cases = [make_case(rng, str(number), layer) for number, layer in enumerate(layers)]
    write_bench(folder, cases, None, work_bytes)
    build = platformio.build(bench_board(board), folder)
    with running(board, build, folder, None) as line:
        return Bench(line, board).layers(cases)


def _small_case() -> LayerCase:
    layer = Layer(operators.DENSE, (1, 1, 32), (1, 1, 1), -1)
    return make_case(np.random.default_rng(1), "none", layer)


def work_range(topology: Topology) -> tuple[int, int]:
    """Bytes of working memory: the least that every layer runs with, the most that one can use."""
    layers = topology.layers
    return max(map(least_work_bytes, layers)), max(map(most_work_bytes, layers))


def measure_key_stream(board: Board, folder: Path) -> float:
    """Instructions of two rounds of one block of the key stream."""
    write_bench(folder, [_small_case()], None, 4096)
    build = platformio.build(bench_board(board), folder)
    with running(board, build, folder, None) as line:
        _, streams = Bench(line, board).key()
    per_block = {one.rounds: one.counts * 64 / one.bytes for one in streams}
    return 2 * (per_block[20] - per_block[8]) / 12
