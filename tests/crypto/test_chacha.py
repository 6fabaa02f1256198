"""The firmware's ChaCha: right on every length, offset and alignment, and what it costs."""

from __future__ import annotations

from pathlib import Path

import pytest
from check_programs import run_bare, run_host

from rbnn import monocypher

CHECK = Path(__file__).with_name("chacha_check.c")


@pytest.fixture(scope="module", autouse=True)
def library() -> None:
    monocypher.lay_out(monocypher.folder())


def test_portable_code_under_sanitizers() -> None:
    run_host(CHECK)


@pytest.mark.qemu
@pytest.mark.parametrize(
    "cpu", ["cortex-m3", "cortex-m4", pytest.param("cortex-m7", marks=pytest.mark.full)]
)
def test_assembly_and_its_cost(cpu: str) -> None:
    outcome = run_bare(CHECK, cpu)
    assert outcome.per_byte("chacha20", 4096) < 11.8
    assert outcome.per_byte("chacha12", 4096) < 7.4
    assert outcome.per_byte("chacha8", 4096) < 5.2
    assert outcome.per_byte("wipe", 4096) < 0.12
    # A request of one block costs little more than a long one's share.
    assert outcome.per_byte("chacha20", 64) < 14
