"""Maximum of bits and mean of the stream: fast == plain == numpy, under sanitizers."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from run_cases import average_pool_case, max_pool_case
from run_driver import RunDriver
from stage_cases import FILLS

CASES = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
SEEDS = st.integers(0, 2**32 - 1)


@CASES
@given(seed=SEEDS)
def test_max_pool(kernels: RunDriver, seed: int) -> None:
    kernels.check(*max_pool_case(seed))


@CASES
@given(seed=SEEDS, fill=st.sampled_from(FILLS), in_place=st.booleans())
def test_average_pool(kernels: RunDriver, seed: int, fill: str, in_place: bool) -> None:
    kernels.check(*average_pool_case(seed, fill, in_place))
