"""Logits from the stream: fast == plain == Python's integers, under sanitizers."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from run_cases import dense_stream_case
from run_driver import RunDriver
from stage_cases import FILLS

CASES = settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@CASES
@given(seed=st.integers(0, 2**32 - 1), fill=st.sampled_from(FILLS))
def test_dense_stream(kernels: RunDriver, seed: int, fill: str) -> None:
    kernels.check(*dense_stream_case(seed, fill))


def test_many_inputs(kernels: RunDriver) -> None:
    for fill in FILLS:
        kernels.check(*dense_stream_case(1, fill, inputs=2048, classes=3))
