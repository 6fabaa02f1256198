"""Reading a bench application's answers, and running one with small layers under QEMU."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from scripted_device import ScriptedDevice

from rbnn.bench import board as boards
from rbnn.bench.layers import LayerCase, make_case, standard_cases
from rbnn.bench.session import Bench, BenchError, Counter
from rbnn.bench.source import NetworkCase, write_bench
from rbnn.device.errors import DeviceError, EmulatorError, LinkError
from rbnn.device.line import SerialLine
from rbnn.engine.golden import layer_crc32
from rbnn.engine.reference import Reference
from rbnn.errors import RbnnError
from rbnn.export.export import NO_PROVIDER, make_container
from rbnn.image import platformio
from rbnn.image.board import load_board
from rbnn.image.memory import plan_memory
from rbnn.nets.topology import Layer, Topology
from rbnn.runs.config import RunConfig
from rbnn.runs.parameters import ModelParameters
from rbnn.runs.synthetic import write_synthetic_run
from rbnn.spec import operators
from rbnn.spec.layout import Activation, Output, Sign, Stage

WORK_BYTES = 64 * 1024
# 25.6 counts an instruction; the empty call takes 6.
LOOPS = "m-counter-[25000000]\nm-loop-[0,154]\nm-loop-[2000,51379]\nm-loop-[2000000,51200179]"
LAYER = """m-layer-[one,stream,2714,0000002a]
m-layer-[one,plain,1434,0000002a]
m-layer-[one,resident,1460,0000002a]"""

Ask = Callable[..., Bench]


@pytest.fixture
def ask() -> Iterator[Ask]:
    """A bench whose line gives scripted answers."""
    opened: list[tuple[ScriptedDevice, SerialLine]] = []

    def make(**answers: object) -> Bench:
        device = ScriptedDevice({"loops": LOOPS, **answers})
        line = SerialLine(device.path)
        opened.append((device, line))
        return Bench(line, load_board("qemu"))

    yield make
    for device, line in opened:
        line.close()
        device.close()


def case(crc32: int) -> LayerCase:
    """A small layer called ``one``; only its name, shape and CRC count here."""
    nothing = np.zeros(0)
    layer = Layer(operators.DENSE, (1, 1, 32), (1, 1, 2), -1)
    return LayerCase("one", layer, nothing, b"", nothing, crc32)


@pytest.fixture
def synthetic(tmp_path: Path) -> tuple[RunConfig, Topology]:
    """The config of a small vgg, and its topology cut off after the stem."""
    config = write_synthetic_run(tmp_path / "run", "vgg", width=32, input_shape=(8, 8, 3)).config()
    topology = config.topology()
    return config, dataclasses.replace(topology, layers=topology.layers[:1])


def test_counts_become_instructions_or_stay_cycles() -> None:
    emulated = Counter("instructions", 25_000_000, 154)
    assert emulated.read(154) == 0
    assert emulated.read(154 + 256) == 10
    assert emulated.read(51_200_179) - emulated.read(51_379) == 1_998_000
    assert Counter("cycles", 168_000_000, 10).read(110) == 100


def test_layers_in_all_modes(ask: Ask) -> None:
    (layer,) = ask(layers=LAYER).layers([case(42)])
    assert (layer.name, layer.instructions, layer.instructions_plain) == ("one", 100, 50)
    assert layer.instructions_per_mac_resident == 51 / layer.macs


def test_a_wrong_result_ends_the_measurement(ask: Ask) -> None:
    with pytest.raises(BenchError, match=r"Wrong results on the board: one \(stream\), one"):
        ask(layers=LAYER).layers([case(43)])


@pytest.mark.parametrize("said", ["", LAYER.splitlines()[0], LAYER.replace("one", "two")])
def test_missing_or_other_layers_are_noticed(ask: Ask, said: str) -> None:
    with pytest.raises(LinkError, match="other layers than one"):
        ask(layers=said).layers([case(42)])


def test_network_cipher_and_inputs(ask: Ask, synthetic: tuple[RunConfig, Topology]) -> None:
    bench = ask(
        network="m-network-[0,stream,410,00000001]\nm-network-[0,plain,282,00000001]\n"
        "m-inference-[stream,666]\nm-inference-[plain,410]",
        cipher="m-key-[410]\nm-cipher-[20,4096,1048730]\nm-cipher-[8,4096,524442]",
        inputs="m-inputs-[conv_a,22,410,436]",
    )
    found, layers = bench.network(*synthetic, [1])
    assert [one.name for one in layers] == ["vgg/0 stem"]
    assert (layers[0].instructions, layers[0].instructions_plain) == (10, 5)
    assert (found.instructions, found.instructions_plain) == (20, 10)
    key, streams = bench.key()
    assert key == 10
    assert [(one.rounds, one.counts) for one in streams] == [(20, 40_960), (8, 20_480)]
    spread = bench.inputs(20, network=False)
    assert (spread.name, spread.inputs, spread.least, spread.most) == ("conv_a", 22, 10, 11)


def test_a_network_needs_both_inferences(ask: Ask, synthetic: tuple[RunConfig, Topology]) -> None:
    bench = ask(network="m-inference-[stream,666]")
    with pytest.raises(LinkError, match="not both inferences"):
        bench.network(*synthetic, [])


@pytest.mark.parametrize(
    ("loops", "error", "said"),
    [
        (LOOPS.replace("[25000000]", "[0]"), BenchError, "no cycle counter"),
        (LOOPS.replace("51200179", "51200379"), BenchError, "saw 1,998,008 instructions"),
        ("m-counter-[25000000]", LinkError, "loops"),
        ("e-[unknown-command: unknown command]", DeviceError, "unknown command"),
    ],
)
def test_a_counter_that_cannot_be_trusted(
    ask: Ask, loops: str, error: type[RbnnError], said: str
) -> None:
    with pytest.raises(error, match=said):
        ask(loops=loops)


def test_an_emulator_that_does_not_start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "qemu"
    program.write_text("#!/bin/sh\necho 'qemu: unsupported machine type' >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setattr(boards, "require", lambda name: program)
    board = load_board("qemu")
    build = platformio.BuildResult(board, program, program, program, program)
    with (
        pytest.raises(EmulatorError, match="unsupported machine type"),
        boards.running(board, build, tmp_path),
    ):
        pass


def test_an_interrupt_ends_the_emulator(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "qemu"
    program.write_text(
        f"#!/bin/sh\necho $$ > {tmp_path}/pid\n"
        "echo 'char device redirected to /dev/null (label line)'\nexec sleep 60\n"
    )
    program.chmod(0o755)
    monkeypatch.setattr(boards, "require", lambda name: program)
    board = load_board("qemu")
    build = platformio.BuildResult(board, program, program, program, program)
    with pytest.raises(KeyboardInterrupt), boards._emulator(board, build) as path:
        assert path == "/dev/null"
        pid = int((tmp_path / "pid").read_text())
        raise KeyboardInterrupt
    assert not Path(f"/proc/{pid}").exists()


def _small_cases() -> list[LayerCase]:
    rng = np.random.default_rng(3)
    bits = {"stage": Stage.THRESHOLD, "output": Output.BITS}
    residual = {"stage": Stage.RESIDUAL, "output": Output.BITS | Output.STREAM}
    bent = {**residual, "activation": Activation.RPRELU, "sign": Sign.THRESHOLDS}
    most = {"output": Output.BITS}
    return [
        make_case(rng, "conv", Layer(operators.CONV, (5, 4, 32), (5, 4, 32), -1, 3, pad=1, **bits)),
        make_case(rng, "point", Layer(operators.CONV, (4, 4, 64), (2, 2, 32), -1, 1, 2, **bits)),
        make_case(rng, "stem", Layer(operators.STEM, (6, 6, 3), (6, 6, 32), -1, 3, pad=1, **bits)),
        make_case(rng, "dense", Layer(operators.DENSE, (2, 2, 32), (1, 1, 10), -1)),
        make_case(rng, "sum", Layer(operators.CONV, (4, 3, 32), (4, 3, 64), -1, 1, **residual)),
        make_case(rng, "bent", Layer(operators.STEM, (6, 5, 2), (4, 3, 32), -1, 3, **bent)),
        make_case(rng, "pool", Layer(operators.MAX_POOL, (7, 5, 64), (3, 2, 64), -1, 3, 2, **most)),
    ]


def _network(folder: Path, *, width: int, depth: int, side: int) -> tuple[RunConfig, NetworkCase]:
    run = write_synthetic_run(
        folder, "resnet", width=width, depth=depth, input_shape=(side, side, 3)
    )
    config, secrets = run.config(), run.secrets()
    parameters = ModelParameters.load(run.parameters_file)
    container = make_container(config, parameters, secrets, NO_PROVIDER)
    image = np.random.default_rng(1).integers(0, 256, config.input_shape, dtype=np.uint8)
    return config, NetworkCase(container, secrets[config.tasks[0].name], image)


NEEDS_TOOLS = pytest.mark.skipif(
    not (shutil.which("qemu-system-arm") and shutil.which("arm-none-eabi-gcc")),
    reason="apt-get install qemu-system-arm gcc-arm-none-eabi libnewlib-arm-none-eabi",
)


@pytest.mark.qemu
@NEEDS_TOOLS
def test_it_fits_a_real_board_and_says_that_qemu_counts_no_cycles(tmp_path: Path) -> None:
    board = load_board("nucleo")
    _, network = _network(tmp_path / "run", width=64, depth=6, side=32)
    work = plan_memory(board, network.container).work
    write_bench(tmp_path / "bench", standard_cases(), network, work)
    build = platformio.build(boards.bench_board(board), tmp_path / "bench")
    with (
        boards._emulator(board, build) as path,
        SerialLine(path) as line,
        pytest.raises(BenchError, match="no cycle counter"),
    ):
        assert line.synchronise() == "nucleo"
        Bench(line, board)


@pytest.mark.qemu
@NEEDS_TOOLS
@pytest.mark.parametrize(
    "name", ["qemu", "qemu-m3", pytest.param("qemu-m7", marks=pytest.mark.full)]
)
def test_small_layers_and_a_network_on_every_core(name: str, tmp_path: Path) -> None:
    cases = _small_cases()
    config, network = _network(tmp_path / "run", width=32, depth=2, side=16)
    folder = tmp_path / "bench"
    write_bench(folder, cases, network, WORK_BYTES)
    board = load_board(name)
    build = platformio.build(boards.bench_board(board), folder)
    expected = layer_crc32(
        Reference.open(network.container, 0, network.secret).infer(network.image[None])
    )[0].tolist()
    with boards.running(board, build, folder) as line:
        bench = Bench(line, board)
        first = bench.layers(cases)
        assert first == bench.layers(cases)
        for layer in first:
            resident = round((layer.instructions_per_mac_resident or 0) * layer.macs)
            if layer.macs:
                assert layer.instructions > resident >= layer.instructions_plain > 0
            else:
                assert layer.instructions == layer.instructions_plain > 0
        found, rows = bench.network(config, network.container.topology, expected)
        assert sum(row.instructions_plain for row in rows) > 0.9 * found.instructions_plain
        key, streams = bench.key()
        assert key > 0
        assert [one.rounds for one in streams] == [20, 12, 8]
        for spread in (bench.inputs(5, network=False), bench.inputs(5, network=True)):
            assert spread.inputs == 7
            assert spread.least == spread.most
