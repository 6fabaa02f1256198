"""Power-ups of made-up devices with independent bit errors, in the firmware's C: as many fail as
``failure_probability`` says."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from scipy.stats import binom
from trust_rows import Trust, trust_row

from rbnn import monocypher
from rbnn.engine.compile import MONOCYPHER, compile_native, room_sources
from rbnn.keys.puf import failure_probability
from rbnn.spec import puf

BITS = 8 * puf.PATTERN_BYTES
UNLIKELY = 1e-6
made_up_row = trust_row(
    "fingerprint-made-up-power-ups",
    "Power-ups of made-up devices with independent bit errors, in the firmware's C: how many give "
    "no key, and how many do by the exact computation. At 28 % many fail: so that the computation "
    "is tested, too",
    "at 15 % and 20 %: at most 1; at 28 %: as computed, within 15 %; 0 wrong keys",
)


@pytest.fixture(scope="module")
def program() -> Path:
    monocypher.lay_out(monocypher.folder())
    sources = [Path(__file__).with_name("power_ups.c"), *room_sources("crypto", "puf")]
    return compile_native("power_ups", [*sources, MONOCYPHER / "monocypher.c"], ["-O3"])


def power_up(program: Path, devices: int, times: int, rate: float) -> dict[str, int]:
    """Enrol devices and power each up some times. Returns the counts of power_ups.c."""
    arguments = map(str, (1, devices, times, round(rate * 2**24)))
    done = subprocess.run([str(program), *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    counts = {name: int(count) for name, count in map(str.split, done.stdout.splitlines())}
    share = counts["flipped"] / (BITS * counts["power-ups"])
    assert share == pytest.approx(rate, abs=6 * (BITS * counts["power-ups"]) ** -0.5)
    assert counts["refused"] <= 1 + devices // 100
    return counts


@made_up_row
@pytest.mark.parametrize(("percent", "full"), [(15, 1_000_000), (20, 100_000)])
def test_as_good_as_no_power_up_fails(percent: int, full: int, program: Path, trust: Trust) -> None:
    count = trust.amount(quick=1_000, full=full)
    counts = power_up(program, 20, count // 20, percent / 100)
    probability = failure_probability(percent / 100)
    trust.measured(
        f"{percent} %: {counts['failed']} of {count:,}, computed {probability * count:.1g} "
        f"({probability:.1e} each); {counts['wrong']} wrong keys",
        count,
    )
    assert counts["failed"] <= 1 and counts["wrong"] == 0
    assert binom.sf(counts["failed"] - 1, count, probability) > UNLIKELY


@made_up_row
def test_as_many_power_ups_fail_as_computed(program: Path, trust: Trust) -> None:
    count = trust.amount(quick=5_000, full=100_000)
    counts = power_up(program, count // 20, 20, 0.28)
    expected = count * failure_probability(0.28)
    trust.measured(
        f"28 %: {counts['failed']:,} of {count:,}, computed {expected:,.0f}; "
        f"{counts['wrong']} wrong keys",
        count,
    )
    assert counts["failed"] == pytest.approx(expected, rel=0.15 if trust.full else 0.5)
    assert counts["wrong"] == 0
