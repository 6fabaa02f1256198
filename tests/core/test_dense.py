"""Logits from bits: fast == plain == numpy, under sanitizers."""

from __future__ import annotations

import pytest
from dense_cases import FILLS, dense_case
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from run_driver import RunDriver

CASES = settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@CASES
@given(seed=st.integers(0, 2**32 - 1), fill=st.sampled_from(FILLS))
def test_dense(kernels: RunDriver, seed: int, fill: str) -> None:
    kernels.check(*dense_case(seed, fill))


@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize("inputs", [1024, 2048, 8192, 8224, 16352])
def test_many_inputs(kernels: RunDriver, inputs: int, fill: str) -> None:
    kernels.check(*dense_case(1, fill, inputs=inputs, classes=5))


def test_most_inputs(kernels: RunDriver) -> None:
    for inputs in (57344, 65504):
        for fill in ("random", "equal", "opposite"):
            kernels.check(*dense_case(2, fill, inputs=inputs, classes=2))
