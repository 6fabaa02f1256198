"""Accuracy with right and wrong secrets, and what counts as chance."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from tiny_tasks import MODEL, SECRETS

from rbnn.nets.build import SharedNetwork
from rbnn.tasks import Split, TaskData
from rbnn.train.evaluate import (
    Chance,
    WrongSecrets,
    accuracy,
    chance_of,
    keras_predictor,
    predict,
    predict_logits,
    try_wrong_secrets,
)
from rbnn.train.run import Run
from rbnn.train.transfer import build_network, load_network


@pytest.fixture(scope="module")
def network(trained: Run) -> SharedNetwork:
    """The trained network."""
    return load_network(trained)


def test_predictions_are_the_largest_logits(network: SharedNetwork, data: list[TaskData]) -> None:
    images = data[0].test.images
    logits = predict_logits(network, "colour", images)
    assert logits.shape == (40, 4)
    np.testing.assert_array_equal(predict(network, "colour", images), logits.argmax(axis=1))


def test_a_task_without_its_key_is_not_predicted(trained: Run, data: list[TaskData]) -> None:
    unkeyed = build_network(trained.config())
    with pytest.raises(ValueError, match="no key"):
        predict(unkeyed, "sound", data[1].test.images)


def test_wrong_secrets_are_measured_one_by_one(
    network: SharedNetwork, data: list[TaskData]
) -> None:
    right = accuracy(network, "colour", data[0].test)
    source = Random(3)
    predictor = keras_predictor(network, SECRETS, MODEL)
    wrong = try_wrong_secrets(predictor, "colour", data[0].test, 4, 6, source.randbytes)
    assert len(wrong.accuracies) == 6
    assert wrong.mean < right - 0.3
    assert accuracy(network, "colour", data[0].test) == right


def test_the_right_secret_forced_would_be_noticed(
    network: SharedNetwork, data: list[TaskData]
) -> None:
    predictor = keras_predictor(network, SECRETS, MODEL)
    forced = try_wrong_secrets(
        predictor, "colour", data[0].test, 4, 1, lambda count: SECRETS["colour"]
    )
    assert not forced.passed


def test_chance_is_between_one_class_and_the_largest() -> None:
    labels = np.array([0, 0, 0, 1, 2], np.int64)
    split = Split(np.zeros((5, 32, 32, 1), np.uint8), labels)
    assert chance_of(split, 3) == Chance(low=1 / 3, high=0.6)
    assert chance_of(Split(split.images[2:], labels[2:]), 3).high == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("accuracies", "passed"),
    [
        ((0.1, 0.1, 0.1), True),
        ((0.1, 0.1, 0.151), False),
        ((0.12, 0.12, 0.12), False),
        ((0.08, 0.08, 0.08), False),
        ((0.14, 0.08, 0.08), True),
    ],
)
def test_the_bounds_on_wrong_secrets(accuracies: tuple[float, ...], passed: bool) -> None:
    assert WrongSecrets(accuracies=accuracies, chance=Chance(low=0.1, high=0.1)).passed is passed
