"""What ``make trust`` writes down: every result at once, by commit, failures included."""

from __future__ import annotations

from pathlib import Path

import pytest
import trust_rows
from trust_document import SUBJECTS, Part, RowResult, document, read_rows, time_text
from trust_rows import Recorder, Trust, enter, rows_of, trust_row

DOCUMENT = trust_rows.DOCUMENT


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A page of this test's own."""
    path = tmp_path / "trust.md"
    monkeypatch.setattr(trust_rows, "DOCUMENT", path)
    return path


def report(test: str, outcome: str = "passed", figure: str = "0 open") -> pytest.TestReport:
    """Of one part of a row."""
    reason = ("file", 1, "Skipped: no compiler") if outcome == "skipped" else None
    made = pytest.TestReport(
        test, ("file", 1, test), {}, outcome, reason, "call", duration=90.0,  # type: ignore[arg-type]
        user_properties=[("trust", [figure, 7])] if figure else [],
    )  # fmt: skip
    made.trust_row = ["keys", "Wrong keys", "0 open"]  # type: ignore[attr-defined]
    return made


def test_the_page_is_what_its_results_say() -> None:
    if not DOCUMENT.exists():
        pytest.skip("make trust has not been run")
    assert DOCUMENT.read_text() == document(read_rows(DOCUMENT))


def test_parts_of_a_row_are_kept_together_for_one_commit(page: Path) -> None:
    first = Recorder("1111111")
    first.pytest_runtest_logreport(report("b"))
    first.pytest_runtest_logreport(report("a", figure="1 of 7 open"))
    (row,) = read_rows(page)
    assert [part.test for part in row.parts] == ["a", "b"]
    assert "| 1 of 7 open; 0 open | 14 | 3 min | 1111111, 2" in document([row])
    Recorder("2222222").pytest_runtest_logreport(report("a"))
    (row,) = read_rows(page)
    assert [part.test for part in row.parts] == ["a"] and row.commit == "2222222"


def test_failed_and_skipped_parts_are_named(page: Path) -> None:
    recorder = Recorder("1111111+")
    recorder.pytest_runtest_logreport(report("a", "failed", "3 open"))
    recorder.pytest_runtest_logreport(report("b", "skipped", ""))
    expected = report("c", "skipped", "2 open")
    expected.wasxfail = "known"  # type: ignore[attr-defined]
    recorder.pytest_runtest_logreport(expected)
    text = document(read_rows(page))
    assert "**failed** 3 open; *not run:* no compiler; **failed** 2 open" in text
    assert "changes that were not committed" in text


def test_other_tests_are_not_written_down(page: Path) -> None:
    plain = report("a")
    del plain.trust_row  # type: ignore[attr-defined]
    Recorder("1111111").pytest_runtest_logreport(plain)
    assert read_rows(page) == []


def test_a_row_does_less_in_an_ordinary_run(request: pytest.FixtureRequest) -> None:
    assert Trust(request.node, full=False).amount(quick=3, full=1000) == 3
    assert Trust(request.node, full=True).amount(quick=3, full=1000) == 1000


@pytest.mark.parametrize(
    ("seconds", "text"), [(3.4, "3 s"), (99.0, "99 s"), (150.0, "2 min"), (9000.0, "2.5 h")]
)
def test_times_are_short(seconds: float, text: str) -> None:
    assert time_text(seconds) == text


def test_a_row_without_a_figure(page: Path) -> None:
    part = Part(test="t", outcome="passed", measured="", count=0, seconds=0.0)
    row = RowResult(name="n", what="w", must="m", commit="c", date="d", parts=(part,))
    assert "| no figure | 0 | 0 s | c, d |" in document([row])


def test_every_row_is_on_the_page(request: pytest.FixtureRequest) -> None:
    """Also what has not run. If one is missing: pytest --trust --collect-only"""
    rows = rows_of(request.session.items)
    held = {row.name: (row.what, row.must) for row in read_rows(DOCUMENT)}
    assert {name: held.get(name) for name in rows} == rows


def test_a_row_that_has_not_run_says_so(page: Path) -> None:
    Recorder("1111111").pytest_runtest_logreport(report("a"))
    enter({"wrong-users": ("Wrong users", "0 unlock"), "keys": ("Wrong keys", "0 open")})
    text = document(read_rows(page))
    assert "| `wrong-users` | Wrong users | 0 unlock | *not run yet* |  |  |  |" in text
    assert "| 0 open | 7 | 90 s | 1111111, 2" in text


def test_a_row_of_which_only_a_part_has_run_says_so(page: Path) -> None:
    recorder = Recorder("1111111")
    recorder.tests["keys"] |= {"a", "b", "c"}
    recorder.pytest_runtest_logreport(report("b"))
    assert "0 open; *2 of 3 parts not run yet* |" in document(read_rows(page))
    for test in ("a", "c"):
        recorder.pytest_runtest_logreport(report(test))
    assert "not run yet" not in document(read_rows(page))


def test_rows_are_in_the_order_of_their_subjects(page: Path) -> None:
    names = [name for names in SUBJECTS.values() for name in names]
    enter({name: ("what", "must") for name in sorted(names)})
    text = document(read_rows(page))
    assert [line.split("`")[1] for line in text.splitlines() if line.startswith("| `")] == names
    headings = [line[3:] for line in text.splitlines() if line.startswith("## ")]
    assert headings == list(SUBJECTS)
    with pytest.raises(AssertionError, match="no place on the page for never-heard-of"):
        trust_row("never-heard-of", "what", "must")


def test_the_page_says_how_to_tell_that_the_code_has_changed() -> None:
    assert "git diff --stat COMMIT -- . ':!docs' ':!*.md'" in document([])
