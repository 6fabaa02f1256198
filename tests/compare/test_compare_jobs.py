"""The order in which a comparison trains its networks, and where they are stored."""

from __future__ import annotations

from pathlib import Path

from rbnn.compare.jobs import jobs


def test_first_seed_then_counts_then_schemes_then_seeds() -> None:
    found = jobs(("a", "b", "c"), (2, 1), ("sign", "xor"), (1, 2, 3))
    assert [str(job.path) for job in found] == [
        "single/a/seed-2",
        "single/b/seed-2",
        "single/c/seed-2",
        "shared/xor/seed-2",
        "shared/xor-2/seed-2",
        "shared/sign/seed-2",
        "single/a/seed-1",
        "single/b/seed-1",
        "single/c/seed-1",
        "shared/xor/seed-1",
        "shared/xor-2/seed-1",
        "shared/sign/seed-1",
    ]
    assert found[4].tasks == ("a", "b")
    assert [job.scheme for job in found[:6]] == ["none", "none", "none", "xor", "xor", "sign"]
    assert found[3].title == "3 tasks shared, xor, seed 2"
    assert found[0].title == "a alone, seed 2"


def test_counts_need_the_scheme_that_devices_support() -> None:
    found = jobs(("a", "b", "c"), (1,), ("none",), (1, 2, 3))
    assert [job.network for job in found] == ["single", "single", "single", "none"]
    assert found[-1].path == Path("shared/none/seed-1")
