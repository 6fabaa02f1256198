"""Classes from the integers, by both engines."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rbnn.errors import RbnnError
from rbnn.export.predict import BATCH, integer_predictor


def test_both_engines_find_the_same_classes(random_export: Callable[..., Any]) -> None:
    made = random_export()
    reference = integer_predictor(made.run, "reference")
    native = integer_predictor(made.run, "c")
    for task, images in made.images.items():
        found = native(task, images)
        assert found.shape == (len(images),)
        np.testing.assert_array_equal(found, reference(task, images))


def test_batches_are_put_together_in_order(random_export: Callable[..., Any]) -> None:
    made = random_export()
    images = made.images["grey"]
    many = np.concatenate([images] * (BATCH // len(images) + 2))
    predict = integer_predictor(made.run, "c")
    np.testing.assert_array_equal(predict("grey", many)[-len(images) :], predict("grey", images))


def test_a_run_without_an_export_is_refused(
    random_export: Callable[..., Any], tmp_path: Path
) -> None:
    made = random_export(tmp_path / "run")
    for path in made.run.export_folder.iterdir():
        path.unlink()
    with pytest.raises(RbnnError, match="rbnn export"):
        integer_predictor(made.run, "c")


def test_an_export_older_than_the_run_is_refused(
    random_export: Callable[..., Any], tmp_path: Path
) -> None:
    made = random_export(tmp_path / "run")
    trained_on = made.run.parameters_file.read_bytes() + bytes(1)
    made.run.parameters_file.write_bytes(trained_on)
    with pytest.raises(RbnnError, match="older than the run"):
        integer_predictor(made.run, "reference")
