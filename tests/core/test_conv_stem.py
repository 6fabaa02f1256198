"""The stem: fast == plain == numpy over shapes and extreme values, under sanitizers."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from run_cases import stem_case
from run_driver import RunDriver
from stage_cases import FILLS

from rbnn.spec.layout import Stage

CASES = settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
SEEDS = st.integers(0, 2**32 - 1)
STAGES = st.sampled_from([Stage.THRESHOLD, Stage.RESIDUAL])


@CASES
@given(seed=SEEDS, fill=st.sampled_from(FILLS), stage=STAGES)
def test_any_stem(kernels: RunDriver, seed: int, fill: str, stage: Stage) -> None:
    kernels.check(*stem_case(seed, fill, stage))


@CASES
@given(
    seed=SEEDS,
    fill=st.sampled_from(FILLS),
    stage=STAGES,
    weights=st.sampled_from(["ones", "zeros"]),
    pixel=st.sampled_from([0, 255]),
)
def test_largest_sums(
    kernels: RunDriver, seed: int, fill: str, stage: Stage, weights: str, pixel: int
) -> None:
    kernels.check(*stem_case(seed, fill, stage, weights=weights, pixel=pixel))


@pytest.mark.parametrize("pool", [1, 2])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("kernel", [1, 2, 3, 5, 7])
def test_every_number_of_groups(kernels: RunDriver, kernel: int, channels: int, pool: int) -> None:
    shape = (9, 13, channels, 64, kernel, 1, kernel // 2, pool)
    kernels.check(*stem_case(kernel, "random", Stage.THRESHOLD, shape))


@pytest.mark.parametrize("width", range(4, 21))
def test_every_width(kernels: RunDriver, width: int) -> None:
    for stride, pool in ((1, 1), (2, 1), (1, 2), (2, 2), (4, 1)):
        shape = (5, width, 3, 32, 3, stride, 1, pool)
        kernels.check(*stem_case(width, "random", Stage.THRESHOLD, shape))
