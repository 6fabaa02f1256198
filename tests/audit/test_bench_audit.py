"""``rbnn bench audit`` on a tiny task: it trains, audits, stops, continues and counts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rule_network import striped_task
from typer.testing import CliRunner, Result

from rbnn.audit import repair
from rbnn.audit.attacks.kinds import AttackKind
from rbnn.audit.bench import experiment as bench
from rbnn.audit.bench.calibrate import calibrated
from rbnn.audit.bench.findings import AuditBenchReport, Rate, bench_report, rate_text
from rbnn.audit.bench.goals import goals
from rbnn.audit.bench.page import bench_page
from rbnn.audit.bench.plan import (
    AuditExperiment,
    Part,
    Sharing,
    parse_kinds,
    parse_parts,
    plan_cells,
)
from rbnn.audit.bench.results import AuditRecord, CellResult, RepairRecord, judged, judged_checks
from rbnn.audit.checks import inversion, patch_sweep
from rbnn.audit.figures import Outcome, Score
from rbnn.audit.limits import LEAST
from rbnn.cli.main import build
from rbnn.errors import RbnnError

EXPERIMENT = AuditExperiment(
    tasks=("mnist", "kws"), architecture="resnet", width=32, steps=10, batch=8, share=0.1,
    target=0, quick=True,
)  # fmt: skip
PLANNED = {kind.value: 12 for kind in AttackKind} | {part.value: 0 for part in Part}


def record(**values: float) -> AuditRecord:
    """An audit whose figures are ``values``; none has an interval."""
    scores = {
        "patch sweep": tuple(
            Score(name=name, value=value, low=value, limit=0.9) for name, value in values.items()
        )
    }
    return AuditRecord(
        checks={"patch sweep": Outcome.NOTHING}, scores=scores, processor=60.0,
        check_processor={}, seconds=61.0,
    )  # fmt: skip


QUIET, LOUD = record(patch=0.05), record(patch=0.99)


def result(kind: AttackKind, seed: int, **fields: object) -> CellResult:
    usual: dict[str, object] = {
        "part": Part.COUNTED,
        "sharing": Sharing.OWN,
        "victim": "mnist",
        "accuracy": 0.95,
        "success": 0.0 if kind is AttackKind.CLEAN else 0.97,
        "moved": 0.1,
        "latent_accuracy": 0.9,
        "latent_success": 0.0,
        "chance": 0.1,
        "elsewhere": {},
        "audit": QUIET,
        "training_seconds": 1.0,
    }
    return CellResult(kind=kind, seed=seed, **{**usual, **fields})


def report_of(results: list[CellResult]) -> AuditBenchReport:
    return bench_report("x", EXPERIMENT, results, PLANNED)


def calibration(count: int = 12) -> list[CellResult]:
    return [
        result(AttackKind.CLEAN, 101 + n, part=Part.CALIBRATION, audit=record(patch=0.05 + n / 200))
        for n in range(count)
    ]


def test_the_plan_has_as_many_networks_as_the_goals_ask_for() -> None:
    tasks, sounds = ("fashion", "mnist", "kws"), frozenset({"kws"})
    cells = plan_cells(tasks, sounds, list(AttackKind), parse_parts("all"), None)
    own = [cell.kind for cell in cells if cell.part is Part.COUNTED]
    assert own.count(AttackKind.CLEAN) >= 20
    assert own.count(AttackKind.PATCH) == own.count(AttackKind.BLENDED) == 12
    for kind in set(AttackKind) - {AttackKind.CLEAN, AttackKind.PATCH, AttackKind.BLENDED}:
        assert own.count(kind) == 6, kind
    assert {cell.victim for cell in cells if cell.kind is AttackKind.TONE} == {"kws"}
    assert sum(cell.part is Part.CROSSING for cell in cells) == 9
    assert sum(cell.part is Part.REPAIR for cell in cells) == 6
    assert len({cell.name for cell in cells}) == len(cells)
    assert len(plan_cells(("mnist",), frozenset(), [AttackKind.PATCH], [Part.COUNTED], 1)) == 1


def test_limits_come_from_networks_that_are_not_counted() -> None:
    cells = plan_cells(("mnist",), frozenset(), list(AttackKind), list(Part), None)
    first = [cell.part for cell in cells[:4]]
    assert first == [Part.CALIBRATION, Part.COUNTED] * 2  # clean networks before all others
    seeds = {
        part: {cell.seed for cell in cells if cell.part is part}
        for part in (Part.CALIBRATION, Part.COUNTED, Part.DEVELOPMENT)
    }
    assert not seeds[Part.CALIBRATION] & seeds[Part.COUNTED]
    assert not seeds[Part.DEVELOPMENT] & (seeds[Part.CALIBRATION] | seeds[Part.COUNTED])
    clean = calibration()
    loud = [result(AttackKind.CLEAN, 1, audit=LOUD), result(AttackKind.PATCH, 1, audit=LOUD)]
    assert calibrated([*clean, *loud]) == calibrated(clean)
    assert {cell.kind for cell in cells if cell.part is Part.CALIBRATION} == {AttackKind.CLEAN}


def test_a_limit_is_above_every_clean_network_and_never_below_the_least() -> None:
    assert calibrated(calibration(9)) == ()  # too few: the limit stays provisional
    (one,) = calibrated(calibration())
    assert (one.name, one.networks) == ("patch", 12) and one.largest < one.predicted
    assert one.limit == LEAST["patch"] > one.predicted
    noisy = [
        result(AttackKind.CLEAN, 101 + n, part=Part.CALIBRATION, audit=record(patch=0.2 + n / 30))
        for n in range(12)
    ]
    (one,) = calibrated(noisy)
    assert one.limit == one.predicted > one.largest == pytest.approx(0.2 + 11 / 30, abs=1e-3)


def test_outcomes_follow_the_limits_of_calibration_without_another_audit() -> None:
    between = record(patch=0.5)  # below the limit of the day of the audit, above that of now
    found = report_of([*calibration(), result(AttackKind.PATCH, 1, audit=between)])
    (kind,) = found.kinds
    assert kind.strong.hits == 1 and kind.by_check == {"patch sweep": 1}
    assert report_of([result(AttackKind.PATCH, 1, audit=between)]).kinds[0].strong.hits == 0


def test_a_check_that_reached_nothing_stays_in_doubt() -> None:
    quiet = {"trigger inversion": (Score(name="small mask", value=0, low=0, limit=2),)}
    one = QUIET.model_copy(
        update={"checks": {"trigger inversion": Outcome.UNKNOWN}, "scores": quiet}
    )
    assert judged(one, {}) is Outcome.UNKNOWN
    assert judged(QUIET, {}) is Outcome.NOTHING
    assert judged(QUIET, {"patch": 0.01}) is Outcome.FOUND


def test_a_gap_counts_only_where_a_trigger_was_found() -> None:
    gap = (
        Score(name="disagreement", value=0, low=0, limit=0.02),
        Score(name="silent gap", value=0.9, low=0.9, limit=0.5),
    )
    for base, outcome in ((QUIET, Outcome.NOTHING), (LOUD, Outcome.FOUND)):
        both = {**base.scores, "float against deployed": gap}
        one = base.model_copy(update={"scores": both})
        assert judged_checks(one, {})["float against deployed"] is outcome


def test_rates_have_exact_intervals_and_goals_wait_for_enough_networks() -> None:
    rate = Rate.of([False] * 20)
    assert rate.high == pytest.approx(0.168, abs=1e-3)
    assert rate_text(rate) == "0 of 20, 0 % (0 to 17)"
    assert rate_text(Rate.of([])) == "–"
    results = [*calibration(), *(result(AttackKind.CLEAN, n) for n in range(20))]
    results += [result(AttackKind.PATCH, n, audit=LOUD) for n in range(12)]
    results += [result(AttackKind.BLENDED, n) for n in range(12)]
    results += [result(AttackKind.BELT, 1)]
    results += [result(AttackKind.SINE, n, success=0.3) for n in range(6)]
    report = report_of(results)
    states = {goal.what.split(",")[0]: goal for goal in goals(report)}
    assert states["false alarms"].state == "met"
    assert states["found: patch"].state == "met"
    assert states["found: blended"].state == "missed"
    assert states["found: belt"].state == "unfinished"
    assert "1 of 6 networks so far" in states["found: belt"].measured
    assert "no network reached 90 %" in states["found: sine"].measured
    assert states["found: warp"].state == states["repair: accuracy"].state == "not run yet"
    uncalibrated = report_of([one for one in results if one.part is Part.COUNTED])
    assert goals(uncalibrated)[0].state == "unfinished"
    with pytest.raises(RbnnError, match="found: blended"):
        bench.require_goals(report)
    text = bench_page(report)
    assert "evade the audit: 1 of 1" in text[:400]
    assert "provisional" in text  # waves have no calibration here
    assert "not run yet" in bench_page(report_of([]))


def test_a_dormant_network_counts_only_where_its_latent_values_sleep() -> None:
    heard = (Score(name="patch", value=0.99, low=0.99, limit=0.9),)
    asleep = result(AttackKind.DORMANT, 1, audit=LOUD, float_scores=QUIET.scores["patch sweep"])
    noticed = result(AttackKind.DORMANT, 2, audit=LOUD, float_scores=heard)
    awake = result(AttackKind.DORMANT, 3, latent_success=0.8)
    one = report_of([asleep, noticed, awake]).dormant
    assert (one.shown.hits, one.shown.count) == (2, 3)
    assert (one.found.hits, one.found.count) == (2, 2)
    assert (one.missed_by_float.hits, one.missed_by_float.count) == (1, 2)


def test_repairs_count_where_the_attack_had_worked() -> None:
    def repaired(seed: int, **fields: float) -> CellResult:
        usual = {
            "accuracy_before": 0.95, "accuracy_after": 0.945, "success_before": 0.97,
            "success_after": 0.05, "triggers": 1, "woken": ("white 5x5",),
        }  # fmt: skip
        made = RepairRecord(**{**usual, **fields})
        return result(AttackKind.PATCH, seed, part=Part.REPAIR, audit=None, repair=made)

    weak = repaired(3, success_before=0.5)
    report = report_of([repaired(1), repaired(2, success_after=0.6), weak])
    one = report.repair
    assert (one.networks, one.quiet.hits, one.quiet.count) == (3, 1, 2)
    assert one.woken.hits == 2 and one.cheap.hits == 2
    assert not report.kinds  # repairs are not among the counted networks


def test_the_crossing_table_has_clean_networks_beside_it() -> None:
    crossed = result(
        AttackKind.PATCH, 1, part=Part.CROSSING, sharing=Sharing.XOR, audit=None,
        elsewhere={"kws": 0.2},
    )  # fmt: skip
    clean = [result(AttackKind.CLEAN, n, victim=task) for n, task in enumerate(("mnist", "kws"), 1)]
    text = bench_page(report_of([crossed, *clean]))
    assert "| xor | 1 | 97.0 % (97.0 to 97.0) | 20.0 % (20.0 to 20.0) |" in text
    assert "| clean networks of one task | 1 | 10.0 % (10.0 to 10.0) |" in text


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--kinds", "magic"], "no kind of attack"),
        (["--parts", "half"], "no part of the measurement"),
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

    done = run("--kinds", "dormant", "--parts", "counted")
    report = json.loads(done.stdout)
    assert [one["kind"] for one in report["kinds"]] == ["dormant"]
    assert (tmp_path / "cells/counted/dormant/own/mnist/seed-1.json").is_file()
    assert report["results"][0]["float_scores"], "the latent values were not swept"
    assert not list((tmp_path / "work").iterdir())
    # What a kill left of the next network is begun again.
    left = tmp_path / "work" / "counted-clean-own-mnist-1"
    left.mkdir()
    (left / "config.json").write_text("{")
    both = ("--kinds", "clean,dormant", "--parts", "calibration,counted")
    report = json.loads(run(*both, "--most", "2").stdout)
    assert [one["kind"] for one in report["kinds"]] == ["clean", "dormant"]
    assert {*report["results"][1]["audit"]["scores"]} >= {"patch sweep", "data scan"}
    assert loaded == ["mnist", "mnist"]  # and nothing where all is there
    again = json.loads(run(*both).stdout)
    assert again["kinds"] == report["kinds"] and loaded == ["mnist", "mnist"]
    assert "rbnn bench audit" in (tmp_path / "audit-bench.md").read_text()
    other = run("--steps", "4", "--kinds", "clean")
    assert "holds another experiment" in str(other.exception)


@pytest.mark.slow
@pytest.mark.full
def test_sets_and_repairs_are_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = {"mnist": striped_task("mnist"), "kws": striped_task("kws", audio=True)}
    monkeypatch.setattr(bench, "load", lambda spec, progress=None: data[spec.name])
    monkeypatch.setattr(patch_sweep, "SAMPLES", 2)
    monkeypatch.setattr(patch_sweep, "WAVES", (6,))
    monkeypatch.setattr(repair, "STEPS", 3)
    monkeypatch.setattr(inversion, "STEPS", 5)
    options = ["--arch", "vgg", "--steps", "3", "--batch", "8", "--seeds", "1", "--quick"]
    options += ["--tasks", "mnist,kws", "--kinds", "patch", "--parts", "crossing,repair"]
    options += ["--out", str(tmp_path), "--json"]
    done = CliRunner().invoke(build(), ["bench", "audit", *options])
    assert done.exit_code == 0 or "Missed" in str(done.exception)  # goals, of such networks
    results = json.loads((tmp_path / "audit-bench.json").read_text())["results"]
    parts = [one["part"] for one in results]
    assert (parts.count("crossing"), parts.count("repair")) == (3, 2)
    for one in results:
        assert bool(one["elsewhere"]) == (one["part"] == "crossing")
        assert (one["repair"] is None) == (one["part"] != "repair")
        assert one["audit"] is None
    assert not list((tmp_path / "work").iterdir())
