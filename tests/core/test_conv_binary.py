"""The binary convolution: numpy, the plain reference, portable C and assembly agree bit for bit."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from check_programs import build_bare
from conv_binary_cases import Case, Result, Shape, draw_shape, fill, run_cases

from rbnn.engine.compile import FIRMWARE, SANITIZERS, compile_native, room_sources
from rbnn.spec.layout import Activation, Output, Sign, Stage

HERE = Path(__file__).parent
SOURCES = [
    HERE / "drivers" / "conv_binary_driver.c",
    *room_sources("core/conv_binary", "core/stage"),
    *(HERE / "reference" / name for name in ("conv_binary.c", "stage.c")),
]
MACHINES = {"cortex-m3": "mps2-an385", "cortex-m4": "mps2-an386", "cortex-m7": "mps2-an500"}
ICOUNT_SHIFT = 8
"""One emulated instruction takes 2^8 ns."""
TICK_NS = 40
EXTREMES = ((0.5, 0.5), (0.0, 0.5), (1.0, 0.5), (1.0, 1.0), (0.0, 1.0), (0.5, 0.0))
"""Shares of 1 bits in input and weights."""


@pytest.fixture(scope="module")
def native() -> list[str]:
    """Portable C under AddressSanitizer and UBSan."""
    flags = ("-O1", *SANITIZERS)
    return [str(compile_native("conv_binary_driver", SOURCES, flags)), "{cases}", "{results}"]


EMULATED = [pytest.param(cpu, marks=pytest.mark.qemu) for cpu in sorted(MACHINES)]


@pytest.fixture(scope="module", params=EMULATED)
def emulated(request: pytest.FixtureRequest) -> list[str]:
    """Assembly on an emulated Cortex-M, counting instructions."""
    for tool in ("arm-none-eabi-gcc", "qemu-system-arm"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    assembly = [*FIRMWARE.glob("core/conv_binary/*.S"), *FIRMWARE.glob("core/stage/*.S")]
    program = build_bare(
        f"conv_binary_{request.param}.elf",
        request.param,
        [*SOURCES, *assembly],
        ["-Wconversion", "-Werror", "--specs=rdimon.specs"],
        HERE / "drivers" / "run_driver.ld",
    )
    semihosting = "enable=on,target=native,arg=driver,arg={cases},arg={results}"
    return [
        "qemu-system-arm", "-M", MACHINES[request.param], "-nographic", "-monitor", "none",
        "-serial", "none", "-icount", f"shift={ICOUNT_SHIFT}",
        "-semihosting-config", semihosting, "-kernel", str(program),
    ]  # fmt: skip


def check(command: Sequence[str], folder: Path, cases: Sequence[Case]) -> list[Result]:
    """Run the cases and compare them with numpy."""
    results = run_cases(command, folder, cases)
    for case, result in zip(cases, results, strict=True):
        assert result.output == case.expected(), case.shape
    return results


def draw_cases(seed: int, count: int) -> list[Case]:
    """Random shapes, every one with random or extreme data."""
    rng = np.random.default_rng(seed)
    shapes = [draw_shape(rng) for _ in range(count)]
    return [fill(shape, i, *EXTREMES[i % len(EXTREMES)]) for i, shape in enumerate(shapes)]


def test_reference_equals_numpy(native: list[str], tmp_path: Path) -> None:
    cases = draw_cases(1, 25)
    check(native, tmp_path, [replace_shape(case, is_reference=True) for case in cases])


def replace_shape(case: Case, **members: object) -> Case:
    """The same data, run in another way."""
    return replace(case, shape=replace(case.shape, **members))  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(4))
def test_portable_c_equals_numpy(native: list[str], tmp_path: Path, seed: int) -> None:
    check(native, tmp_path, draw_cases(100 + seed, 40))


def test_assembly_equals_numpy(emulated: list[str], tmp_path: Path) -> None:
    check(emulated, tmp_path, draw_cases(2, 60))


WIDE = Shape((13, 9), 96, 64, kernel=5, stride=2, pad=2)
DEEP = Shape((5, 5), 512, 32)
RESIDUAL = Shape(
    (9, 11), 64, 64, stage=Stage.RESIDUAL, activation=Activation.RPRELU, sign=Sign.THRESHOLDS,
    shortcut_channels=32, output=Output.BITS | Output.STREAM,
)  # fmt: skip


@pytest.mark.parametrize("shape", [WIDE, DEEP, RESIDUAL], ids=["wide", "deep", "residual"])
def test_any_working_memory_from_the_least_gives_the_same(
    native: list[str], tmp_path: Path, shape: Shape
) -> None:
    case = fill(shape, 3)
    (least,) = check(native, tmp_path, [case])
    sizes = range(least.work_bytes, least.work_bytes + (40 << 10), 1500)
    cases = [replace_shape(case, work_bytes=size // 4 * 4, copies_weights=True) for size in sizes]
    check(native, tmp_path, cases)


def test_all_matches_and_none_fit_the_lanes(emulated: list[str], tmp_path: Path) -> None:
    """Every lane at its largest, in blocks of 32 and of 64 channels, and with 1..3 slots."""
    shapes = [
        Shape((4, 4), channels, 32, kernel, 1, kernel // 2)
        for channels in (32, 64, 96, 128, 256, 512)
        for kernel in (1, 3, 5)
    ]
    extremes = [(1, 1), (1, 0), (0, 0), (0, 1)]
    check(emulated, tmp_path, [fill(s, 4, *e) for s in shapes for e in extremes])


@pytest.mark.parametrize("stage", [Stage.THRESHOLD, Stage.RESIDUAL])
def test_instructions_do_not_depend_on_data(
    emulated: list[str], tmp_path: Path, stage: Stage
) -> None:
    output = Output.BITS if stage is Stage.THRESHOLD else Output.BITS | Output.STREAM
    shape = Shape((6, 7), 64, 32, stage=stage, output=output, copies_weights=True)
    cases = [fill(shape, seed) for seed in range(20)]
    cases += [fill(shape, 20, *extreme) for extreme in EXTREMES]
    for case in cases:
        case.shift = cases[0].shift
    results = check(emulated, tmp_path, cases)
    counts = {round(result.ticks * TICK_NS / 2**ICOUNT_SHIFT) for result in results}
    assert len(counts) == 1
