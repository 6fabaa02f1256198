"""Accuracy with right and wrong secrets, and what counts as chance."""

from __future__ import annotations

import io
from random import Random

import numpy as np
import pytest
from rich.console import Console
from tiny_tasks import MODEL, SECRETS

from rbnn.nets.build import SharedNetwork
from rbnn.runs.errors import TrainingError
from rbnn.runs.run import Run
from rbnn.tasks import Split, TaskData
from rbnn.train.assess import TaskAssessment, require_passed
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
from rbnn.train.report import assessment_tables
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


def test_chance_is_between_the_smallest_class_and_the_largest() -> None:
    labels = np.array([0, 0, 0, 1, 2], np.int64)
    split = Split(np.zeros((5, 32, 32, 1), np.uint8), labels)
    assert chance_of(split, 3) == Chance(low=0.2, high=0.6)
    assert chance_of(split, 4) == Chance(low=0.0, high=0.6)
    even = chance_of(Split(split.images[2:], labels[2:]), 3)
    assert even.low == even.high == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("accuracies", "failures"),
    [
        ((0.1, 0.1, 0.1), ()),
        ((0.14, 0.08, 0.08), ()),
        ((0.1, 0.1, 0.1, 0.1, 0.1, 0.151), ("highest above chance",)),
        ((0.12, 0.12, 0.12), ("mean above chance",)),
        ((0.08, 0.08, 0.08), ("mean below chance",)),
        ((0.2, 0.08), ("mean above chance", "highest above chance")),
        ((0.0,) * 9 + (0.2,), ("mean below chance", "highest above chance")),
    ],
)
def test_the_bounds_on_wrong_secrets(
    accuracies: tuple[float, ...], failures: tuple[str, ...]
) -> None:
    wrong = WrongSecrets(accuracies=accuracies, chance=Chance(low=0.1, high=0.1))
    assert wrong.failures == failures
    assert wrong.passed is (not failures)
    assert all(part in wrong.verdict for part in failures or ("at chance",))


def test_the_mean_may_be_anywhere_between_the_smallest_class_and_the_largest() -> None:
    chance = Chance(low=0.005, high=0.3)
    for mean, passed in ((0.0, True), (0.2, True), (0.309, True), (0.311, False)):
        assert WrongSecrets(accuracies=(mean,), chance=chance).passed is passed


def report(task: str, *accuracies: float) -> TaskAssessment:
    chance = Chance(low=0.08, high=0.1)
    wrong = WrongSecrets(accuracies=accuracies, chance=chance) if accuracies else None
    return TaskAssessment(
        task=task, classes=12, samples=50, accuracy=0.9, chance=chance, wrong_secrets=wrong
    )


def test_the_table_prints_the_rule_next_to_what_was_measured() -> None:
    console = Console(width=120, file=io.StringIO(), record=True)
    for table in assessment_tables([report("good", 0.1, 0.07), report("bad", 0.01, 0.02)]):
        console.print(table)
    text = console.export_text()
    assert "8.00 to 10.00%" in text
    for cells in (
        ("good", "8.50%", "7.00 to 11.00%", "10.00%", "to 15.00%", "at chance"),
        ("bad", "1.50%", "7.00 to 11.00%", "2.00%", "to 15.00%", "FAILED: mean below chance"),
    ):
        assert any(all(cell in line for cell in cells) for line in text.splitlines()), text
    assert len(assessment_tables([report("good")])) == 1


def test_a_run_whose_wrong_secrets_are_not_at_chance_is_refused() -> None:
    require_passed([report("one", 0.1), report("two")])
    with pytest.raises(TrainingError, match=r"on: bad \(mean below chance\)\."):
        require_passed([report("good", 0.1), report("bad", 0.01)])
