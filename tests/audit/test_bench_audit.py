"""``rbnn bench audit`` on a tiny task: it trains, audits, stops, continues and counts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rule_network import striped_task
from typer.testing import CliRunner, Result

from rbnn.audit.attacks.kinds import AttackKind
from rbnn.audit.bench import experiment as bench
from rbnn.audit.bench.findings import Rate, bench_report, rate_text
from rbnn.audit.bench.page import bench_page
from rbnn.audit.bench.plan import (
    AuditExperiment,
    Cell,
    CellResult,
    Sharing,
    parse_kinds,
    plan_cells,
)
from rbnn.audit.checks import patch_sweep
from rbnn.audit.figures import Outcome
from rbnn.cli.main import build
from rbnn.errors import RbnnError

EXPERIMENT = AuditExperiment(
    tasks=("mnist", "kws"), architecture="resnet", width=32, steps=10, batch=8, share=0.1,
    target=0, quick=True,
)  # fmt: skip


def result(kind: AttackKind, seed: int, **fields: object) -> CellResult:
    usual: dict[str, object] = {
        "sharing": Sharing.OWN,
        "victim": "mnist",
        "accuracy": 0.95,
        "success": 0.0 if kind is AttackKind.CLEAN else 0.97,
        "latent_accuracy": 0.9,
        "latent_success": 0.0,
        "chance": 0.1,
        "elsewhere": {},
        "checks": {"patch sweep": Outcome.NOTHING},
        "outcome": Outcome.NOTHING,
        "audit_seconds": 60.0,
        "training_seconds": 1.0,
    }
    return CellResult(kind=kind, seed=seed, **{**usual, **fields})  # type: ignore[arg-type]


def test_the_plan_has_as_many_networks_as_the_goals_ask_for() -> None:
    cells = plan_cells(("fashion", "mnist", "kws"), frozenset({"kws"}), list(AttackKind), None)
    own = [cell.kind for cell in cells if cell.sharing is Sharing.OWN]
    assert own.count(AttackKind.CLEAN) >= 20
    assert own.count(AttackKind.PATCH) == own.count(AttackKind.BLENDED) == 12
    for kind in set(AttackKind) - {AttackKind.CLEAN, AttackKind.PATCH, AttackKind.BLENDED}:
        assert own.count(kind) == 6, kind
    assert {cell.victim for cell in cells if cell.kind is AttackKind.TONE} == {"kws"}
    shared = [cell for cell in cells if cell.sharing is not Sharing.OWN]
    assert len(shared) == 9 and len({cell.name for cell in cells}) == len(cells)
    assert len(plan_cells(("mnist",), frozenset(), [AttackKind.PATCH], 1)) == 1


def test_rates_have_exact_intervals_and_goals_wait_for_enough_networks() -> None:
    rate = Rate.of([False] * 20)
    assert rate.high == pytest.approx(0.168, abs=1e-3)
    assert rate_text(rate) == "0 of 20, 0 % (0 to 17)"
    assert rate_text(Rate.of([])) == "–"
    found = {"outcome": Outcome.FOUND, "checks": {"patch sweep": Outcome.FOUND}}
    results = [result(AttackKind.CLEAN, n) for n in range(20)]
    results += [result(AttackKind.PATCH, n, **found) for n in range(12)]
    results += [result(AttackKind.BLENDED, n) for n in range(12)]
    results += [result(AttackKind.BELT, 1)]
    states = {
        goal.what.split(",")[0]: goal.state for goal in bench_report("x", EXPERIMENT, results).goals
    }
    assert states["false alarms"] == "met"
    assert states["found: patch"] == "met"
    assert states["found: blended"] == "missed"
    assert states["found: belt"] == states["dormant: found on the integers"] == "not run yet"
    with pytest.raises(RbnnError, match="found: blended"):
        bench.require_goals(bench_report("x", EXPERIMENT, results))
    text = bench_page(bench_report("x", EXPERIMENT, results))
    assert "1 of 1 evade the audit" in text[:400]
    assert "not run yet" in bench_page(bench_report("x", EXPERIMENT, []))


def test_a_dormant_network_counts_only_where_its_latent_values_sleep() -> None:
    asleep = result(AttackKind.DORMANT, 1, outcome=Outcome.FOUND)
    awake = result(AttackKind.DORMANT, 2, latent_success=0.8)
    report = bench_report("x", EXPERIMENT, [asleep, awake])
    assert (report.dormant_shown.hits, report.dormant_shown.count) == (1, 2)
    assert (report.dormant_found.hits, report.dormant_found.count) == (1, 1)
    assert report.dormant_missed_by_float.hits == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--kinds", "magic"], "no kind of attack"),
        (["--share", "0"], "--share"),
        (["--steps", "0"], "--steps"),
        (["--tasks", "smell"], "smell"),
    ],
)
def test_bad_options_are_refused_before_anything_is_written(
    tmp_path: Path, options: list[str], said: str
) -> None:
    done = CliRunner().invoke(build(), ["bench", "audit", "--out", str(tmp_path / "o"), *options])
    assert isinstance(done.exception, RbnnError) and said in str(done.exception)
    assert not (tmp_path / "o").exists()
    assert len(parse_kinds("all")) == len(AttackKind)


@pytest.mark.slow
def test_it_trains_audits_and_continues(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = {"mnist": striped_task("mnist"), "kws": striped_task("kws", audio=True)}
    loaded: list[str] = []

    def load(spec: object, progress: object = None) -> object:
        loaded.append(spec.name)  # type: ignore[attr-defined]
        return data[spec.name]  # type: ignore[attr-defined]

    monkeypatch.setattr(bench, "load", load)
    monkeypatch.setattr(patch_sweep, "SAMPLES", 2)
    monkeypatch.setattr(patch_sweep, "WAVES", (6,))

    def run(*options: str) -> Result:
        usual = ["--arch", "vgg", "--steps", "3", "--batch", "8", "--seeds", "1", "--quick"]
        usual += ["--tasks", "mnist", "--out", str(tmp_path), "--json"]
        return CliRunner().invoke(build(), ["bench", "audit", *usual, *options])

    done = run("--kinds", "dormant")
    report = json.loads(done.stdout)
    assert [one["kind"] for one in report["kinds"]] == ["dormant"]
    assert (tmp_path / "cells/dormant/own/mnist/seed-1.json").is_file()
    assert not list((tmp_path / "work").iterdir())
    report = json.loads(run("--kinds", "clean,dormant").stdout)
    assert [one["kind"] for one in report["kinds"]] == ["clean", "dormant"]
    assert {*report["kinds"][0]["by_check"]} >= {"patch sweep", "data scan"}
    assert loaded == ["mnist", "mnist"]  # and nothing where all is there
    again = json.loads(run("--kinds", "clean,dormant").stdout)
    assert again["kinds"] == report["kinds"] and loaded == ["mnist", "mnist"]
    assert "rbnn bench audit" in (tmp_path / "audit-bench.md").read_text()
    other = run("--steps", "4", "--kinds", "clean")
    assert "holds another experiment" in str(other.exception)
    unused = Cell(kind=AttackKind.PATCH, sharing=Sharing.XOR, victim="mnist", seed=1)
    assert unused.name == "patch-xor-mnist-1"
