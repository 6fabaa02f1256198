"""rbnn.Model: a run in Python, without a board."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import rbnn
from rbnn.runs.run import Run


@pytest.fixture
def model(trained: Run) -> rbnn.Model:
    return rbnn.Model.open(trained.folder)


def test_importing_rbnn_imports_nothing_else() -> None:
    said = subprocess.run(
        [sys.executable, "-c", "import rbnn, sys; print([m for m in sys.modules if 'rbnn.' in m])"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.strip() == "[]"
    assert set(dir(rbnn)) >= {"Board", "Model", "RbnnError", "read_input"}
    with pytest.raises(AttributeError, match="no attribute 'Modell'"):
        rbnn.Modell  # type: ignore[attr-defined]  # noqa: B018


def test_all_engines_predict_the_same(model: rbnn.Model) -> None:
    task = model.tasks[0]
    images = np.random.default_rng(1).integers(0, 256, (6, 32, 32, 3), np.uint8)
    found = model.predict(task, images)
    assert found.dtype == np.int64 and found.shape == (6,)
    assert found.max() < len(model.labels(task))
    assert (model.predict(task, images, "reference") == found).all()
    assert (model.predict(task, list(images)) == found).all()
    assert (model.predict(task, images, "keras") == found).mean() >= 0.8


@pytest.mark.parametrize(
    ("images", "said"),
    [
        (np.zeros((2, 32, 32, 3)), "float64"),
        (np.zeros((32, 32, 3), np.uint8), r"\(32, 32, 3\)"),
        (np.zeros((1, 32, 32, 1), np.uint8), r"\(1, 32, 32, 1\)"),
        ([np.zeros((32, 32, 3), np.uint8), np.zeros((8, 8, 3), np.uint8)], "shape"),
    ],
)
def test_an_array_of_another_kind_is_refused(model: rbnn.Model, images: Any, said: str) -> None:
    with pytest.raises(rbnn.RbnnError, match=said) as refusal:
        model.predict(model.tasks[0], images)
    assert "read_input" in refusal.value.fix


def test_what_does_not_exist_is_named(model: rbnn.Model, tmp_path: Path) -> None:
    with pytest.raises(rbnn.RbnnError, match="no task 'cat'") as refusal:
        model.labels("cat")
    assert ", ".join(model.tasks) in refusal.value.fix
    with pytest.raises(rbnn.RbnnError, match="no setting 'widht'"):
        rbnn.Model.train("digits,words", runs=tmp_path, widht=32)
    with pytest.raises(rbnn.RbnnError):
        rbnn.Model.open(tmp_path / "nowhere")
    assert not list(tmp_path.iterdir())


def test_a_run_that_was_never_trained_is_not_a_model(trained: Run, tmp_path: Path) -> None:
    run = Run(shutil.copytree(trained.folder, tmp_path / "run"))
    run.parameters_file.unlink()
    with pytest.raises(rbnn.RbnnError, match="holds no trained network") as refusal:
        rbnn.Model.open(run.folder)
    assert "--resume" in refusal.value.fix


def test_a_file_becomes_an_input_by_its_name(tmp_path: Path) -> None:
    Image.new("RGB", (40, 40), "red").save(tmp_path / "red.png")
    image = rbnn.read_input(str(tmp_path / "red.png"), channels=3)
    assert image.shape == (32, 32, 3) and (image == rbnn.read_input(tmp_path / "red.png", 3)).all()
    (tmp_path / "walk.csv").write_text("1,2\n3,4\n")
    with pytest.raises(rbnn.RbnnError, match="sensor series") as refusal:
        rbnn.read_input(tmp_path / "walk.csv", channels=1)
    assert "infer_files" in refusal.value.fix
