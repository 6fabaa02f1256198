"""Rows of docs/trust.md: tests that measure more under ``--trust``, and write down what.

A row is an ordinary test with a marker, in the folder of its room::

    @trust_row("wrong-users", "Licences tried with other users' keys", "0 unlock")
    def test_wrong_users(trust: Trust, world: World) -> None:
        count = trust.amount(quick=50, full=1_000)
        opened = ...
        trust.measured(f"{opened} unlock", count)
        assert opened == 0

``make test`` runs it with the quick amount. ``make trust`` runs it with the full one, keeps the
result in docs/trust/NAME.json, and writes docs/trust.md. A row may consist of several tests.
``SUBJECTS`` in trust_document.py says where on the page it is.
"""

from __future__ import annotations

import datetime
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest
from trust_document import (
    SUBJECTS,
    Part,
    RowResult,
    measured,
    read_rows,
    row_file,
    write_document,
    write_row,
)

REPOSITORY = Path(__file__).resolve().parents[1]
DOCUMENT = REPOSITORY / "docs" / "trust.md"
_NOT_DOCS = ("--", ".", ":!docs", ":!*.md")
_KEY = "trust"
RECORDER = "trust-recorder"


def trust_row(name: str, what: str, must: str) -> pytest.MarkDecorator:
    """Make a test a row, or a part of one.

    Args:
        name: of the row, for ``make trust ROWS=NAME``.
        what: what is tried.
        must: the figure that must hold.
    """
    assert any(name in names for names in SUBJECTS.values()), f"no place on the page for {name}"
    return pytest.mark.trust(name, what, must)


class Trust:
    """What a row asks how much to do, and tells what came of it."""

    def __init__(self, item: pytest.Item, full: bool) -> None:
        self._item = item
        self.full = full

    def amount(self, *, quick: int, full: int) -> int:
        """How many to try: the quick part in ``make test``, all in ``make trust``."""
        return full if self.full else quick

    def measured(self, figure: str, count: int) -> None:
        """The figure for the table; call it before asserting, so that failures have one, too.

        Args:
            figure: what was measured.
            count: how many were tried.
        """
        self._item.user_properties.append((_KEY, [figure, count]))


@pytest.fixture
def trust(request: pytest.FixtureRequest) -> Trust:
    """Of a test with :func:`trust_row`."""
    return Trust(request.node, bool(request.config.getoption("--trust")))


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("trust", "the rows of docs/trust.md")
    group.addoption("--trust", action="store_true", help="run the rows in full, and no other tests")
    group.addoption("--row", action="append", default=[], help="of --trust: only this row")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "trust(name, what, must): a row of docs/trust.md")
    if config.getoption("--trust") and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Recorder(current_commit()), RECORDER)


def current_commit() -> str:
    """The last commit that changed more than documents; with ``+`` if there are changes since."""

    def git(*arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments, *_NOT_DOCS], cwd=REPOSITORY, capture_output=True, text=True
        )
        return done.stdout.strip() if done.returncode == 0 else ""

    changed = git("status", "--porcelain")
    return (git("log", "-1", "--format=%h") or "unknown") + ("+" if changed else "")


def rows_of(items: Iterable[pytest.Item]) -> dict[str, tuple[str, str]]:
    """What is tried and what must hold, by name, of the rows among tests."""
    markers = [marker for item in items if (marker := item.get_closest_marker("trust"))]
    return {name: (what, must) for name, what, must in (marker.args for marker in markers)}


def enter(rows: Mapping[str, tuple[str, str]]) -> None:
    """Put rows without a result on the page: what has not run must not be missing there."""
    for name, (what, must) in rows.items():
        if not row_file(DOCUMENT, name).exists():
            write_row(DOCUMENT, RowResult(name=name, what=what, must=must))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Under ``--trust``: only rows, and of these the named ones, or all without a result."""
    if not config.getoption("--trust"):
        return
    wanted, commit = set(config.getoption("--row")), current_commit()
    known = rows_of(items)
    enter(known)
    if recorder := config.pluginmanager.get_plugin(RECORDER):
        for item in items:
            if marker := item.get_closest_marker("trust"):
                recorder.tests[marker.args[0]].add(item.nodeid)
    if not wanted <= set(known):
        missing = ", ".join(sorted(wanted - set(known)))
        raise pytest.UsageError(f"There is no row {missing}. Rows: {', '.join(sorted(known))}")
    done = {
        part.test
        for row in read_rows(DOCUMENT)
        for part in row.parts
        if row.commit == commit and not commit.endswith("+") and part.outcome == "passed"
    }
    kept, dropped = [], []
    for item in items:
        marker = item.get_closest_marker("trust")
        if marker is None:
            runs = False
        elif wanted:
            runs = marker.args[0] in wanted
        else:
            runs = item.nodeid not in done
        (kept if runs else dropped).append(item)
    items[:] = kept
    config.hook.pytest_deselected(items=dropped)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> object:
    """Send the marker along with the report: with several processes, another one writes it down."""
    outcome = yield
    marker = item.get_closest_marker("trust")
    if marker is not None:
        outcome.get_result().trust_row = list(marker.args)  # type: ignore[attr-defined]
    return outcome


class Recorder:
    """Writes every result at once, so that an interrupted ``make trust`` goes on where it was."""

    def __init__(self, commit: str) -> None:
        self.commit = commit
        self.tests: defaultdict[str, set[str]] = defaultdict(set)
        """Of each row, as far as they were collected."""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        marked = getattr(report, "trust_row", None)
        if marked is None or (report.when != "call" and report.passed) or report.when == "teardown":
            return
        name, what, must = marked
        figures = [value for key, value in report.user_properties if key == _KEY]
        figure, count = figures[-1] if figures else ("", 0)
        if not figure and report.skipped and isinstance(report.longrepr, tuple):
            figure = report.longrepr[2].removeprefix("Skipped: ")
        # A failure that is expected is one all the same.
        failed = report.failed or (report.skipped and hasattr(report, "wasxfail"))
        part = Part(
            test=report.nodeid,
            outcome="failed" if failed else "skipped" if report.skipped else "passed",
            measured=figure,
            count=count,
            seconds=round(report.duration, 1),
        )
        before = [row for row in read_rows(DOCUMENT) if row.name == name]
        kept = [
            other
            for row in before
            if row.commit == self.commit
            for other in row.parts
            if other.test != part.test
        ]
        parts = sorted([*kept, part], key=lambda one: one.test)
        row = RowResult(
            name=name,
            what=what,
            must=must,
            commit=self.commit,
            date=datetime.date.today().isoformat(),
            parts=tuple(parts),
            left=len(self.tests[name] - {one.test for one in parts}),
        )
        write_row(DOCUMENT, row)

    def pytest_sessionfinish(self) -> None:
        write_document(DOCUMENT)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        terminalreporter.section(f"rows, written to {DOCUMENT.relative_to(REPOSITORY)}")
        for row in read_rows(DOCUMENT):
            terminalreporter.line(f"{row.name} ({row.commit or 'no commit'}): {measured(row)}")
