"""The report's files: tables that match the figures, and every plot that has figures."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image
from random_comparison import random_comparison, random_plan

from rbnn.compare.confusion import confusion_counts, confusion_matrix
from rbnn.compare.figures import Flash
from rbnn.compare.measure import confusion
from rbnn.compare.plots import flash_by_count
from rbnn.compare.report import write_report
from rbnn.compare.tables import tables
from rbnn.errors import RbnnError
from rbnn.pages.plot_style import save, styled

PLAN = random_plan(("fashion", "scenes", "kws"), (1, 2))


def test_everything_is_written(tmp_path: Path) -> None:
    random_comparison(tmp_path, PLAN)
    figures = write_report(tmp_path)
    drawn = ("tasks", "counts", "flash", "wrong-secrets", "curves")
    names = [*drawn, *(f"confusion-{name}" for name in PLAN.names)]
    text = (tmp_path / "accuracy.md").read_text()
    for name in names:
        assert f"(plots/{name}.svg)" in text
        ElementTree.parse(tmp_path / "plots" / f"{name}.svg")
        with Image.open(tmp_path / "plots" / f"{name}.png") as image:
            assert min(image.size) > 300
    document = json.loads((tmp_path / "accuracy.json").read_text())
    assert document["missing"] == []
    assert document["command"] == PLAN.command
    seeds = document["tasks"][0]["networks"]["xor-2"]["seeds"]
    assert seeds == {
        "1": figures.tasks[0].networks["xor-2"].seeds[1],
        "2": pytest.approx(0.9, abs=0.1),
    }
    for table in tables(figures):
        assert table.markdown() in text
        assert all(len(row) == len(table.heads) for row in table.rows)
    assert text.splitlines()[2].startswith("resnet, width 32, depth 6, stages 2, ")
    mean = figures.tasks[0].networks["xor"].mean
    assert f"{100 * mean:.2f}" in text


def test_an_unfinished_comparison_is_reported_as_unfinished(tmp_path: Path) -> None:
    random_comparison(tmp_path, PLAN, missing=PLAN.jobs[2:])
    figures = write_report(tmp_path)
    assert [task.name for task in figures.tasks] == ["fashion", "scenes"]
    assert figures.counts == figures.flash == ()
    text = (tmp_path / "accuracy.md").read_text()
    assert f"Networks still to be trained: {len(PLAN.jobs) - 2};" in text
    assert {path.stem for path in (tmp_path / "plots").iterdir()} == {"tasks", "curves"}


def test_without_measurements_the_report_is_empty(tmp_path: Path) -> None:
    random_comparison(tmp_path, PLAN, missing=PLAN.jobs)
    assert write_report(tmp_path).tasks == ()
    assert not (tmp_path / "plots").exists()
    with pytest.raises(RbnnError, match="holds no comparison"):
        write_report(tmp_path / "elsewhere")


def test_equal_figures_give_equal_plot_files(tmp_path: Path) -> None:
    flash = [Flash(count=1, shared=9, separate=8, ratio=1.1)]
    for name in ("one", "two"):
        with styled():
            save(flash_by_count(flash), tmp_path / name, "flash")
    for suffix in ("svg", "png"):
        files = [(tmp_path / name / f"flash.{suffix}").read_bytes() for name in ("one", "two")]
        assert files[0] == files[1]


def test_confusion_counts_true_classes_in_rows() -> None:
    truth, found = np.array([0, 0, 1, 2]), np.array([0, 1, 1, 0])
    counts = confusion(truth, found, 3)
    assert counts == ((1, 1, 0), (0, 1, 0), (1, 0, 0))
    assert confusion_counts([counts, counts]).tolist() == [[2, 2, 0], [0, 2, 0], [2, 0, 0]]


def test_many_classes_and_an_empty_one_are_drawn() -> None:
    counts = np.diag(np.arange(47))
    figure = confusion_matrix("47 classes", [f"class {n}" for n in range(47)], counts)
    assert not figure.axes[0].texts
