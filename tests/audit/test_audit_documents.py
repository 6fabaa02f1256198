"""The documents and the limits say what the committed measurement says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import rbnn
from rbnn.audit.attacks.kinds import AttackKind
from rbnn.audit.bench.document import (
    BEGIN,
    END,
    lines_of,
    measured_limits,
    recounted,
    with_figures,
    write_documents,
)
from rbnn.audit.bench.findings import AuditBenchReport, bench_report
from rbnn.audit.bench.page import bench_page
from rbnn.audit.bench.plan import AuditExperiment, Part, Sharing
from rbnn.audit.bench.results import CellResult
from rbnn.audit.limits import (
    LEAST,
    LIMITS,
    Input,
    limits_for,
    names_of,
    provisional_for,
    read_limits,
)
from rbnn.errors import RbnnError
from rbnn.tasks.dataset import Kind

ROOT = Path(rbnn.__file__).parents[1]
KINDS: dict[Input, Kind] = {Input.PICTURE: "image", Input.SOUND: "audio"}


@pytest.fixture(scope="module")
def report() -> AuditBenchReport:
    text = (ROOT / "docs" / "benchmarks" / "audit.json").read_text()
    return AuditBenchReport.model_validate_json(text)


def test_the_figures_are_counted_from_the_committed_results(report: AuditBenchReport) -> None:
    again = bench_report(report.command, report.experiment, report.results, report.planned)
    assert json.loads(again.model_dump_json()) == json.loads(report.model_dump_json())


def test_the_json_names_no_folder_and_has_a_line_for_each_network() -> None:
    one = CellResult(
        part=Part.COUNTED, kind=AttackKind.CLEAN, sharing=Sharing.OWN, victim="mnist", seed=1,
        accuracy=0.9, success=0.0, moved=0.1, latent_accuracy=0.8, latent_success=0.0, chance=0.1,
        elsewhere={}, training_seconds=1.0,
    )  # fmt: skip
    experiment = AuditExperiment(
        tasks=("mnist",), architecture="resnet", width=32, steps=1, batch=8, share=0.1, target=0,
        quick=False,
    )  # fmt: skip
    planned = {kind.value: 1 for kind in AttackKind} | {"calibration": 1}
    made = bench_report("rbnn bench audit --out /some/where", experiment, [one, one], planned)
    text = lines_of(recounted(made))
    assert "/some/where" not in text and "--out bench/audit" in text
    assert (
        text.count('{"part": "counted"')
        == 2
        == len(AuditBenchReport.model_validate_json(text).results)
    )
    empty = made.model_copy(update={"results": ()})
    assert AuditBenchReport.model_validate_json(lines_of(empty)) == empty


def test_the_documents_are_current(report: AuditBenchReport) -> None:
    page = (ROOT / "docs" / "audit.md").read_text()
    assert with_figures(page, report) == page, "stale: make audit-document"
    assert (ROOT / "docs" / "benchmarks" / "audit.md").read_text() == bench_page(report)


def test_the_audit_uses_the_measured_limits(report: AuditBenchReport) -> None:
    assert read_limits() == measured_limits(report)
    for one in report.limits:
        assert LIMITS[one.given][one.name] == one.limit >= LEAST[one.name]
    for given, kind in KINDS.items():
        held = {one.name for one in report.limits if one.given is given}
        assert set(names_of(given)) - held == provisional_for(kind)


def test_what_is_neither_picture_nor_sound_has_the_larger_limits() -> None:
    both = limits_for("image"), limits_for("audio")
    assert limits_for("series") == {
        name: max(one[name] for one in both) for name in names_of(Input.PICTURE)
    }
    assert provisional_for("tensor") == set(names_of(Input.PICTURE))


def test_documents_are_written_into_a_tree(report: AuditBenchReport, tmp_path: Path) -> None:
    page = tmp_path / "docs" / "audit.md"
    page.parent.mkdir()
    page.write_text("no marks")
    with pytest.raises(RbnnError, match="no place for the figures"):
        write_documents(report, tmp_path)
    page.write_text(f"before\n{BEGIN}\nstale words\n{END}\nafter\n")
    assert len(write_documents(report, tmp_path)) == 4
    assert page.read_text().startswith(f"before\n{BEGIN}\n\nExclusive triggers")
    assert page.read_text().endswith(f"{END}\nafter\n") and "stale words" not in page.read_text()
