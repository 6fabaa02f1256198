"""What a switch costs on an emulated Cortex-M, and its parts."""

from __future__ import annotations

from pathlib import Path

import pytest
from check_programs import run_bare, run_host

from rbnn import monocypher

CHECK = Path(__file__).with_name("switch_check.c")


@pytest.fixture(scope="module", autouse=True)
def library() -> None:
    monocypher.lay_out(monocypher.folder())


def test_portable_code_under_sanitizers() -> None:
    run_host(CHECK)


@pytest.mark.qemu
def test_a_switch_costs_less_than_a_hundredth_of_an_inference() -> None:
    outcome = run_bare(CHECK, "cortex-m4")
    # An inference of the network that the figures are for takes 7.5 million instructions.
    assert outcome.counts["switch", 1740] < 28_000
    assert outcome.counts["switch", 3584] < 50_000
