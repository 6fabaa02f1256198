"""The wide kernels against numpy, in every form of vectors that this machine can run."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from wide_driver import Case, Driver, build_driver, random_group

from rbnn.compiler import native_flags
from rbnn.engine.compile import FIRMWARE, INCLUDES, compiler
from rbnn.nets.topology import Layer
from rbnn.spec import operators
from rbnn.spec.layout import MAX_SHIFT, Activation, Output, Sign, Stage

FORMS = ("plain", "AVX2", "native")
SLOW = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
ANYTHING = 2**15 - 1


def flags_of(form: str) -> tuple[str, ...]:
    """Compiler flags; skips a form that this machine cannot run."""
    flags = native_flags(compiler())
    asked = [compiler(), *flags, "-dM", "-E", "-x", "c", "/dev/null"]
    macros = subprocess.run(asked, check=True, capture_output=True, text=True).stdout
    if form == "AVX2" and "__AVX2__ 1" not in macros:
        pytest.skip("no AVX2 here")
    return {"plain": (), "AVX2": ("-mavx2",), "native": flags}[form]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("program", ["gcc", "clang"])
def test_no_warnings(form: str, program: str) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    done = subprocess.run(
        [program, "-std=c11", "-fsyntax-only", "-Wall", "-Wextra", "-Wconversion", "-Wpedantic",
         "-Wshadow", "-Werror", *flags_of(form), *(f"-I{folder}" for folder in INCLUDES),
         *map(str, FIRMWARE.glob("host/wide*.c"))],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module", params=FORMS)
def driver(request: pytest.FixtureRequest) -> Iterator[Driver]:
    running = Driver(build_driver(flags_of(request.param)))
    assert request.param == "native" or running.vectors != "NEON" or request.param == "plain"
    yield running
    running.close()


stages = st.sampled_from(
    [
        (Stage.THRESHOLD, Activation.NONE, Sign.ZERO, Output.BITS),
        (Stage.RESIDUAL, Activation.NONE, Sign.ZERO, Output.BITS | Output.STREAM),
        (Stage.RESIDUAL, Activation.NONE, Sign.THRESHOLDS, Output.BITS),
        (Stage.RESIDUAL, Activation.RPRELU, Sign.ZERO, Output.STREAM),
        (Stage.RESIDUAL, Activation.RPRELU, Sign.THRESHOLDS, Output.BITS | Output.STREAM),
    ]
)
seeds = st.integers(0, 2**32 - 1)
largest = st.sampled_from([1, 50, 3000, ANYTHING])


def side(size: int, kernel: int, stride: int, pad: int, pool: int = 1) -> int:
    """Output pixels in one direction."""
    return ((size + 2 * pad - kernel) // stride + 1) // pool


@SLOW
@given(
    height=st.integers(1, 9), width=st.integers(1, 9), words=st.integers(1, 9),
    filters=st.sampled_from([32, 64, 96]), kernel=st.sampled_from([1, 2, 3, 5, 7]),
    stride=st.integers(1, 3), pad=st.integers(0, 3), stage=stages, shift=st.integers(0, MAX_SHIFT),
    added=st.sampled_from(["nothing", "as many", "fewer", "in place"]), size=largest, seed=seeds,
)  # fmt: skip
def test_convolutions(
    driver: Driver, height: int, width: int, words: int, filters: int, kernel: int, stride: int,
    pad: int, stage: tuple[Stage, Activation, Sign, Output], shift: int, added: str, size: int,
    seed: int,
) -> None:  # fmt: skip
    rng = np.random.default_rng(seed)
    pad = min(pad, kernel - 1)
    height, width = (max(length, kernel - 2 * pad) for length in (height, width))
    out = (side(height, kernel, stride, pad), side(width, kernel, stride, pad), filters)
    kind, activation, sign, output = stage
    layer = Layer(
        operators.CONV, (height, width, 32 * words), out, 0, kernel=kernel, stride=stride, pad=pad,
        stage=kind, activation=activation, sign=sign, output=output,
    )  # fmt: skip
    shortcut = None
    if kind is Stage.RESIDUAL and added != "nothing":
        channels = 32 if added == "fewer" else filters
        shortcut = rng.integers(-size - 1, size + 1, (*out[:2], channels)).astype("<i2")
    driver.check(
        Case(
            layer,
            rng.random(layer.kernel_shape) < rng.choice([0, 0.5, 1]),
            rng.random(layer.in_shape) < rng.choice([0, 0.5, 1]),
            random_group(rng, layer, size),
            shift if kind is Stage.RESIDUAL else 0,
            shortcut,
            in_place=added == "in place" and shortcut is not None and Output.STREAM in output,
        )
    )


@SLOW
@given(
    height=st.integers(1, 12), width=st.integers(1, 12), channels=st.integers(1, 4),
    own=st.booleans(), filters=st.sampled_from([32, 64]), kernel=st.sampled_from([1, 2, 3, 5]),
    stride=st.integers(1, 3), pad=st.integers(0, 2), pool=st.integers(1, 3), stage=stages,
    size=largest, seed=seeds,
)  # fmt: skip
def test_stems(
    driver: Driver, height: int, width: int, channels: int, own: bool, filters: int, kernel: int,
    stride: int, pad: int, pool: int, stage: tuple[Stage, Activation, Sign, Output], size: int,
    seed: int,
) -> None:  # fmt: skip
    rng = np.random.default_rng(seed)
    pad = min(pad, kernel - 1)
    least = (pool - 1) * stride + kernel - 2 * pad
    height, width = max(height, least), max(width, least)
    out = (
        side(height, kernel, stride, pad, pool),
        side(width, kernel, stride, pad, pool),
        filters,
    )
    kind, activation, sign, output = stage
    layer = Layer(
        operators.STEM, (height, width, channels), out, -1, kernel=kernel, stride=stride, pad=pad,
        pool=pool, stage=kind, activation=activation, sign=sign, output=output,
    )  # fmt: skip
    low, high = [(0, 256), (255, 256), (0, 1)][int(rng.integers(3))]
    driver.check(
        Case(
            layer,
            rng.random(layer.kernel_shape) < 0.5,
            rng.integers(low, high, (height, width, channels if own else 1), dtype=np.uint8),
            random_group(rng, layer, size),
            int(rng.integers(MAX_SHIFT + 1)) if kind is Stage.RESIDUAL else 0,
            offsets=tuple(int(value) for value in rng.integers(0, 256, channels)),
        )
    )


@pytest.mark.parametrize("op", [operators.DENSE, operators.DENSE_STREAM])
@SLOW
@given(
    height=st.integers(1, 3), width=st.integers(1, 3), words=st.integers(1, 40),
    classes=st.integers(1, 64), size=largest, seed=seeds,
)  # fmt: skip
def test_dense_layers(
    driver: Driver, op: operators.Operator, height: int, width: int, words: int, classes: int,
    size: int, seed: int,
) -> None:  # fmt: skip
    rng = np.random.default_rng(seed)
    layer = Layer(op, (height, width, 32 * words), (1, 1, classes), 0)
    inputs = rng.integers(-size - 1, size + 1, layer.in_shape).astype("<i2")
    kernel = rng.random(layer.kernel_shape) < 0.5
    bits_or_stream = inputs if op is operators.DENSE_STREAM else inputs >= 0
    driver.check(Case(layer, kernel, bits_or_stream, random_group(rng, layer, size)))


@pytest.mark.parametrize("op", [operators.MAX_POOL, operators.AVERAGE_POOL])
def test_pools(driver: Driver, op: operators.Operator) -> None:
    rng = np.random.default_rng(5)
    output = Output.BITS if op is operators.MAX_POOL else Output.STREAM
    layer = Layer(op, (8, 6, 96), (4, 3, 96), 0, kernel=2, stride=2, output=output)
    inputs = rng.integers(-(2**15), 2**15, layer.in_shape).astype("<i2")
    driver.check(Case(layer, None, inputs > 9000 if op is operators.MAX_POOL else inputs, {}))
