"""The pages of an audit: they never call a network clean, and name what they cannot see."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from rule_network import RuleNetwork, make_case, striped_task, white_corner

from rbnn.audit.audit import STEPS, _audit_task, summary
from rbnn.audit.checks import patch_sweep
from rbnn.audit.checks.crossing import crossings
from rbnn.audit.figures import AuditReport, Outcome, TaskAudit
from rbnn.audit.page import crossing_rows, markdown_page, page, write_report


def made_report(tasks: tuple[TaskAudit, ...], **fields: object) -> AuditReport:
    usual: dict[str, object] = {
        "model": "a <model> | name",
        "form": "packed",
        "digest": "ab" * 32,
        "source": None,
        "command": "rbnn audit models/seven --quick",
        "date": "2026-11-30T12:00+00:00",
        "rbnn": "0.1.0",
        "quick": True,
        "trunk": 0,
        "tasks": tasks,
        "crossing": (),
        "seconds": 12.0,
    }
    return AuditReport(**{**usual, **fields})  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def report() -> AuditReport:
    """One task with a trigger, one without."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(patch_sweep, "SAMPLES", 12)
        cases = [
            make_case(RuleNetwork(white_corner)),
            make_case(RuleNetwork(), striped_task("spared")),
        ]
        tasks = tuple(_audit_task(case, None) for case in cases)
        return made_report(tasks, crossing=crossings(cases))


def test_the_outcome_follows_from_the_tasks(report: AuditReport) -> None:
    found, spared = report.tasks
    assert (found.outcome, spared.outcome) == (Outcome.FOUND, Outcome.NOTHING)
    assert report.outcome is Outcome.FOUND and report.exit_code == 1
    assert made_report((spared,)).exit_code == 0
    assert [check.name for check in found.checks] == [step.name for step in STEPS]
    assert summary(report) == "found in stripes; no trigger of these kinds found in 1 task"
    again = AuditReport.model_validate_json(report.model_dump_json())
    assert again == report


def test_a_check_that_cannot_tell_is_not_passed_over(report: AuditReport) -> None:
    spared = report.tasks[1]
    unsure = spared.checks[0].model_copy(update={"outcome": Outcome.UNKNOWN})
    task = spared.model_copy(update={"checks": (unsure, *spared.checks[1:])})
    assert task.outcome is Outcome.UNKNOWN
    assert made_report((task,)).exit_code == 2
    assert "could not tell" in page(made_report((task,)))


@pytest.mark.parametrize("write", [page, markdown_page])
def test_both_pages_say_the_same_and_never_clean(report: AuditReport, write: object) -> None:
    text = write(report)  # type: ignore[operator]
    assert not re.search(r"\bis clean\b|\bsafe\b|>clean<", text)
    for words in ("found", "Exclusive triggers (BELT)", "not run", "fixed noise", "Crossing"):
        assert words in text
    assert report.digest[:8] in text
    assert not re.search(r"\{[{%]", text)


def test_the_html_page_loads_nothing_and_escapes_names(report: AuditReport) -> None:
    text = page(report)
    assert "a &lt;model&gt;" in text
    assert not re.search(r"""(src|href)=["'](?!data:|#)""", text)
    assert text.count("<svg") >= 1 and "var(--bad)" in text
    assert re.search(r'<p class="eyebrow">.*Exclusive triggers', text[: text.index("<main>")], re.S)


def test_the_markdown_has_whole_tables(report: AuditReport) -> None:
    lines = markdown_page(report).splitlines()
    heads = [n for n, line in enumerate(lines) if re.match(r"\|[-:|]+\|$", line)]
    assert len(heads) >= 4
    for n in heads:
        columns = len(re.findall(r"(?<!\\)\|", lines[n]))
        assert lines[n - 1].startswith("|") and lines[n + 1].startswith("|")
        for line in (lines[n - 1], lines[n + 1]):
            assert len(re.findall(r"(?<!\\)\|", line)) == columns, line


def test_the_crossing_matrix_has_a_row_for_each_trigger(report: AuditReport) -> None:
    rows = crossing_rows(report)
    assert rows and all(len(row.cells) == 2 for row in rows)
    assert rows[0].cells[0].startswith("100.0")


def test_files_are_private(report: AuditReport, tmp_path: Path) -> None:
    files = write_report(report, tmp_path)
    assert [path.name for path in files] == ["audit.html", "audit.md", "audit.json"]
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in files)
    assert np.all([path.stat().st_size > 1000 for path in files])
