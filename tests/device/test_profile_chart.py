"""The plain-text chart of a profile."""

from __future__ import annotations

from rbnn.device.profile import Profile, ProfiledLayer
from rbnn.device.profile_chart import BAR_COLUMNS, profile_chart


def test_bars_shares_and_rates() -> None:
    chart = profile_chart(
        Profile(
            board="qemu",
            task="digits",
            unit="instructions",
            counts=1_001,
            layers=(
                ProfiledLayer(
                    layer=0, operator="stem", counts=750, share=0.75, macs=1_000, per_mac=0.75
                ),
                ProfiledLayer(layer=1, operator="max-pool", counts=1, share=0.001),
                ProfiledLayer(layer=2, operator="dense", counts=250, share=0.25),
            ),
        )
    )
    head, stem, pool, dense = chart.splitlines()
    assert head == "digits on qemu: 1,001 instructions (emulated) in one inference"
    assert stem.count("#") == BAR_COLUMNS and stem.endswith("75.0% 750    0.750 per MAC")
    assert pool.count("#") == 1
    assert dense.count("#") == 14 and dense.endswith("25.0% 250")
    assert stem.index("#") == pool.index("#") == dense.index("#")


def test_nothing_measured() -> None:
    empty = Profile(board="qemu", task="digits", unit="cycles", counts=0, layers=())
    assert profile_chart(empty) == "digits on qemu: 0 cycles in one inference"
