"""``rbnn bench accuracy`` as typed: reports of what is there, and options that cannot be."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from random_comparison import random_comparison, random_plan
from typer.testing import CliRunner

from rbnn.cli.main import build
from rbnn.errors import RbnnError

PLAN = random_plan(("fashion", "mnist"), (1, 2))


def test_a_report_of_what_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    random_comparison(tmp_path, PLAN, missing=PLAN.jobs[-1:])
    arguments = ["bench", "accuracy", "--out", str(tmp_path), "--report-only"]
    with monkeypatch.context() as undrawn:
        undrawn.setattr("rbnn.compare.report._draw", lambda *_: {})
        done = CliRunner().invoke(build(), arguments)
    assert done.exit_code == 0, done.output
    assert "fashion" in done.stdout
    assert "1 network is still to be trained" in done.stdout
    brief = tmp_path / "docs" / "seven.json"
    done = CliRunner().invoke(build(), [*arguments, "--json", "--summary", str(brief)])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["missing"] == [str(PLAN.jobs[-1].path)]
    assert [task["name"] for task in json.loads(brief.read_text())["tasks"]] == ["fashion", "mnist"]
    page = brief.with_suffix(".md").read_text()
    linked = re.findall(r"\]\((.*?)\)", page)
    assert "seven-tasks.svg" in linked
    assert not [name for name in linked if "confusion" in name]
    assert {file.name for file in brief.parent.glob("*.svg")} == set(linked)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("", "holds no comparison"),
        ("--report-only", "holds no comparison"),
        ("--report-only --seeds 1", "--seeds cannot be combined with --report-only"),
        ("--report-only --arch vgg", "--arch cannot be combined with --report-only"),
        ("--report-only --summary brief.md", "ends in .json"),
        ("--tasks digits,words --seeds one", "--seeds must be whole numbers"),
        ("--tasks digits,words --schemes and", "--schemes must be some of"),
        ("--tasks digits,words --counts 3", "--counts must be from 1 to 2"),
        ("--tasks digits,digits", "named twice"),
        ("--tasks digits,words --steps 0", "--steps must be above 0"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, arguments: str, said: str) -> None:
    out = tmp_path / "out"
    done = CliRunner().invoke(build(), ["bench", "accuracy", "--out", str(out), *arguments.split()])
    assert done.exit_code != 0
    assert isinstance(done.exception, RbnnError)
    assert said in str(done.exception)
    assert not out.exists()
