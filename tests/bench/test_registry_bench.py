"""``rbnn bench registry``: a filled registry is a real one, and every operation has its figures."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rbnn.bench.registry.measure import RegistryBench, bench_registry
from rbnn.bench.registry.tables import document, missed
from rbnn.cli.main import build
from rbnn.errors import RbnnError
from rbnn.keys.registry import Registry

DEVICES, LICENCES, OPERATIONS = 30, 100, 5


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def bench(place: str | None) -> RegistryBench:
    return bench_registry(place, DEVICES, LICENCES, OPERATIONS, lambda _: None)


def test_the_filled_registry_is_as_the_log_has_it(place: str) -> None:
    found = bench(place)
    assert found.database in ("SQLite", "PostgreSQL")
    with Registry.open(place, create=False) as registry:
        assert len(registry.devices()) == DEVICES + OPERATIONS
        assert len(registry.licences()) == LICENCES + 2 * OPERATIONS
        assert len(registry.revocations()) == 2 * OPERATIONS
        registry.verify_chain()
    with pytest.raises(RbnnError, match="is in use"):
        bench(place)


def test_every_operation_has_a_row_and_a_goal(tmp_path: Path) -> None:
    arguments = f"--devices {DEVICES} --licences {LICENCES} --operations {OPERATIONS}".split()
    done = CliRunner().invoke(
        build(), ["bench", "registry", *arguments, "--out", "page.md", "--json"]
    )
    assert done.exit_code == 0, done.output
    (found,) = json.loads(done.stdout)["registries"]
    operations = [one["operation"] for one in found["durations"]]
    page = (tmp_path / "page.md").read_text()
    for name in ("issue a licence", "find a licence", "revoke a licence", "transfer a licence"):
        assert name in operations and f"| {name} |" in page
    assert all(0 < one["median_ms"] <= one["high_ms"] for one in found["durations"])
    assert list(tmp_path.iterdir()) == [tmp_path / "page.md"]  # the registry is gone


def test_what_misses_the_goal_is_said() -> None:
    values = bench(None).model_dump()
    values["durations"] = [
        {"operation": "issue a licence", "median_ms": 12, "high_ms": 20, "processor_ms": 1},
        {"operation": "open", "median_ms": 1, "high_ms": 20, "processor_ms": 1},
    ]
    slow = RegistryBench.model_validate(values)
    assert missed([slow]) == ["SQLite: to issue a licence takes 12.0 ms, not 10"]
    assert "| issue a licence | 12.0 | 20.0 | 1.0 |" in document([slow], "make bench-registry")
