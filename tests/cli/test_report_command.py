"""``rbnn report``: two files for people, and a document for programs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from reported_run import made_data, write_metrics
from typer.testing import CliRunner

from rbnn.cli.main import build
from rbnn.errors import RbnnError
from rbnn.runs.run import Run


@pytest.fixture
def run(random_export: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr("rbnn.report.gather.load_data", made_data)
    made = random_export(width=16)
    write_metrics(made.run, 2)
    found: Run = made.run
    return found


def report(run: Run, folder: Path, *arguments: str) -> Any:
    keys = ["--provider-key", str(folder / "none.pem"), "--registry", str(folder / "none.sqlite")]
    return CliRunner().invoke(
        build(), ["report", str(run.folder), "--engine", "c", *keys, *arguments]
    )


def test_page_and_card_are_written_to_the_run(run: Run, tmp_path: Path) -> None:
    done = report(run, tmp_path)
    assert done.exit_code == 0, done.output
    assert (run.folder / "report.html").read_text().startswith("<!doctype html>")
    assert (run.folder / "MODEL_CARD.md").read_text().startswith("# Model card")
    assert str(run.folder / "report.html") in done.stdout


def test_other_files_and_json(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "deep" / "page.html"
    done = report(run, tmp_path, "--out", str(out), "--json", "--samples", "0")
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    assert document["page"] == str(out) and out.is_file()
    assert document["card"] == str(out.with_name("MODEL_CARD.md"))
    assert document["engine"] == "c" and document["export"]["state"] == "current"
    assert [task["name"] for task in document["tasks"]] == ["colour", "grey"]
    assert document["tasks"][0]["results"]["right"] == []
    assert "<img" not in out.read_text()


def test_unusable_arguments_are_refused_early(run: Run, tmp_path: Path) -> None:
    unknown = report(run, tmp_path, "--board", "abacus")
    assert isinstance(unknown.exception, RbnnError) and "Unknown board" in str(unknown.exception)
    folder = report(run, tmp_path, "--out", str(tmp_path))
    assert isinstance(folder.exception, RbnnError) and "is a folder" in str(folder.exception)
    same = report(run, tmp_path, "--out", str(tmp_path / "x"), "--card", str(tmp_path / "x"))
    assert isinstance(same.exception, RbnnError) and "one file" in str(same.exception)
    empty = CliRunner().invoke(build(), ["report", str(tmp_path)])
    assert isinstance(empty.exception, RbnnError) and "not a run folder" in str(empty.exception)
