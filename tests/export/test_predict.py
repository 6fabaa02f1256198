"""Classes from the integers, by both engines."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rbnn.engine.native import NativeEngine
from rbnn.errors import RbnnError
from rbnn.export.integer_predictor import current_container, integer_predictor
from rbnn.train.evaluate import keras_predictor
from rbnn.train.transfer import load_network

WRONG = bytes(range(32))


def test_both_engines_find_the_same_classes(random_export: Callable[..., Any]) -> None:
    made = random_export()
    reference = integer_predictor(made.run, "reference")
    native = integer_predictor(made.run, "c")
    for task, images in made.images.items():
        found = native(task, images)
        assert found.shape == (len(images),)
        np.testing.assert_array_equal(found, reference(task, images))


def test_a_forced_secret_is_forced_in_either(random_export: Callable[..., Any]) -> None:
    made = random_export()
    images = made.images["grey"]
    forced = integer_predictor(made.run, "c")("grey", images, WRONG)
    np.testing.assert_array_equal(
        integer_predictor(made.run, "reference")("grey", images, WRONG), forced
    )
    own = integer_predictor(made.run, "c")("grey", images, made.secrets["grey"])
    np.testing.assert_array_equal(own, integer_predictor(made.run, "c")("grey", images))


def test_a_forced_secret_opens_no_trunk(random_export: Callable[..., Any]) -> None:
    made = random_export(trunk=3)
    images = made.images["grey"]
    forced = NativeEngine(made.export.container).infer(
        1, made.secrets["grey"], images, forced=WRONG
    )
    own = NativeEngine(made.export.container).infer(1, made.secrets["grey"], images)
    same = [np.array_equal(*layers) for layers in zip(forced.layers, own.layers, strict=True)]
    assert not any(same)
    keras = keras_predictor(load_network(made.run), made.secrets, made.export.container.model_id)
    integers = integer_predictor(made.run, "c")
    np.testing.assert_array_equal(keras("grey", images, WRONG), integers("grey", images, WRONG))
    np.testing.assert_array_equal(keras("grey", images), integers("grey", images))


def test_a_current_export_is_used_as_it_is(random_export: Callable[..., Any]) -> None:
    made = random_export(provider_public=bytes(range(32)))
    assert current_container(made.run).data == made.export.container.data


def test_without_an_export_it_is_made_and_not_written(
    random_export: Callable[..., Any], tmp_path: Path
) -> None:
    made = random_export(tmp_path / "run")
    shutil.rmtree(made.run.export_folder)
    made.run.export_folder.mkdir()
    assert current_container(made.run).data == made.export.container.data
    assert not list(made.run.export_folder.iterdir())


def test_an_export_older_than_the_run_is_not_used(
    random_export: Callable[..., Any], tmp_path: Path
) -> None:
    made = random_export(tmp_path / "run", seed=1)
    other = random_export(tmp_path / "other", seed=4)
    made.run.parameters_file.write_bytes(other.run.parameters_file.read_bytes())
    container = current_container(made.run)
    assert container.stored_bits(0) == other.export.container.stored_bits(0)
    assert container.model_id == made.export.container.model_id


def test_a_run_without_parameters_is_refused(
    random_export: Callable[..., Any], tmp_path: Path
) -> None:
    made = random_export(tmp_path / "run")
    made.run.parameters_file.unlink()
    with pytest.raises(RbnnError):
        integer_predictor(made.run, "c")
