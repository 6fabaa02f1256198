"""Thresholds, residual adds, RPReLU and RSign: fast == plain == numpy, under sanitizers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from run_driver import Request, RunDriver
from stage_cases import FILLS, stage_case

from rbnn.spec.layout import Activation, Output, Sign, Stage

CASES = settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@CASES
@given(
    seed=st.integers(0, 2**32 - 1),
    fill=st.sampled_from(FILLS),
    stage=st.sampled_from([Stage.THRESHOLD, Stage.RESIDUAL]),
)
def test_any_stage(kernels: RunDriver, seed: int, fill: str, stage: Stage) -> None:
    kernels.check(*stage_case(seed, fill, stage))


def request_of(
    sums: list[int], groups: list[int], shift: int, shortcut: int | None, activation: Activation
) -> Request:
    """32 channels, one position, sums repeated; each group holds one value."""
    layer = {
        "stage": Stage.RESIDUAL, "activation": activation, "sign": Sign.ZERO,
        "output": Output.BITS | Output.STREAM, "out_height": 1, "out_width": 1, "out_channels": 32,
        "shortcut_channels": 0 if shortcut is None else 32,
    }  # fmt: skip
    params = np.array([shift, 0], "<u2").tobytes()
    params += np.repeat(np.array(groups, "<i2"), 32).tobytes()
    return Request(
        layer, np.resize(np.array(sums, "<i2"), 32).tobytes(), params=params,
        shortcut=b"" if shortcut is None else np.full(32, shortcut, "<i2").tobytes(),
        bits_bytes=4, stream_bytes=64,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("total", "scale", "bias", "shift", "shortcut", "expected"),
    [
        (-32768, -32768, 32767, 0, None, 32767),
        (32767, -32768, -32768, 0, None, -32768),
        (-32768, -32768, 0, 16, None, 16384),
        (-1, 1, 0, 16, None, -1),
        (-1, 1, 0, 8, 5, 4),
        # The scaled sum is saturated before the shortcut is added.
        (32767, 32767, 0, 0, -32768, -1),
        (-32768, 32767, 0, 0, 32767, -1),
        (32767, 1, 1, 0, None, 32767),
        (0, 0, -32768, 4, -1, -32768),
    ],
)
def test_residual_at_the_ends_of_its_range(
    kernels: RunDriver, total: int, scale: int, bias: int, shift: int, shortcut: int | None,
    expected: int,
) -> None:  # fmt: skip
    request = request_of([total], [scale, bias], shift, shortcut, Activation.NONE)
    bits = b"\xff" * 4 if expected >= 0 else bytes(4)
    kernels.check(request, bits + np.full(32, expected, "<i2").tobytes())


@pytest.mark.parametrize(
    ("value", "point", "slope", "offset", "expected"),
    [
        (-32768, 32767, -32768, 32767, 32767),  # d saturates, times -2
        (-32768, 32767, 32767, -32768, -32768),
        (32767, -32768, 0, 32767, 32767),
        (-3, 0, 16384, 0, -3),
        (-3, 0, 8192, 0, -2),  # floor
        (0, 0, -32768, -7, -7),
        (-1, 0, -32768, 0, 2),
        (5, 5, 123, 9, 9),
    ],
)
def test_rprelu_at_the_ends_of_its_range(
    kernels: RunDriver, value: int, point: int, slope: int, offset: int, expected: int
) -> None:
    groups = [1, 0, point, slope, offset]
    request = request_of([value], groups, 0, None, Activation.RPRELU)
    bits = b"\xff" * 4 if expected >= 0 else bytes(4)
    kernels.check(request, bits + np.full(32, expected, "<i2").tobytes())
