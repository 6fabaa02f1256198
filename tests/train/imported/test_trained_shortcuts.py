"""A trained Larq network with shortcuts keeps its classes; errors of conversion would lose them."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rbnn
from rbnn.nets.framework import tf
from rbnn.runs.run import Run
from rbnn.tasks import TaskData
from rbnn.tasks.load import load
from rbnn.train.evaluate import predict_logits
from rbnn.train.imported import convert, importing
from rbnn.train.imported.importing import ImportResult, Wishes, import_model, keras_outputs
from rbnn.train.imported.nodes import Affine
from rbnn.train.transfer import load_network

pytestmark = pytest.mark.slow
PAGE = (Path(rbnn.__file__).parents[1] / "docs" / "own-networks.md").read_text()
EPOCHS = 6
BATCH = 64
Give = Callable[[], tuple[ImportResult, float]]


@pytest.fixture(scope="module")
def task() -> TaskData:
    return load("digits")


@pytest.fixture(scope="module")
def trained(task: TaskData, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example of the page, after some hundred steps."""
    (_, text) = re.findall(r"```python\n(.*?)```", PAGE, re.S)
    tf.keras.utils.set_random_seed(1)
    names: dict[str, Any] = {}
    # So that its averages follow in so few steps.
    exec(text.replace("BatchNormalization()", "BatchNormalization(momentum=0.8)"), names)
    model = names["model"]
    steps = EPOCHS * -(-len(task.train) // BATCH)
    rate = tf.keras.optimizers.schedules.CosineDecay(0.01, steps)
    loss = tf.keras.losses.SparseCategoricalCrossentropy()
    model.compile(tf.keras.optimizers.Adam(rate), loss)
    images = task.train.images.astype(np.float32)
    model.fit(images, task.train.labels, batch_size=BATCH, epochs=EPOCHS, verbose=0)
    path = tmp_path_factory.mktemp("trained") / "model.h5"
    model.save(path)
    return path


@pytest.fixture
def give(trained: Path, task: TaskData, tmp_path: Path) -> Give:
    """Imports it anew; also gives the mean difference of the logits, of their deviation."""
    model = importing.open_model(trained)
    assert isinstance(model.layers[-1], tf.keras.layers.Softmax)
    without_softmax = tf.keras.Model(model.input, model.layers[-1].input)
    theirs = keras_outputs(without_softmax, task.test.images, 1.0, 0.0)

    def make() -> tuple[ImportResult, float]:
        runs = tmp_path / "runs"
        result = import_model(runs, trained, task, Wishes(1.0, 0.0), lambda _: None)
        logits = predict_logits(load_network(Run(Path(result.run))), task.name, task.test.images)
        return result, float(np.abs(logits - theirs).mean() / theirs.std())

    return make


def test_the_same_classes(give: Give, monkeypatch: pytest.MonkeyPatch) -> None:
    result, apart = give()
    assert result.keras_accuracy > 0.9
    assert result.agreement >= 0.995
    assert abs(result.accuracy - result.keras_accuracy) <= 0.005
    assert result.notes == ()
    monkeypatch.setattr(importing, "magnification", lambda *_: 1)
    _, as_large = give()
    assert apart < 0.04 and 2 * apart < as_large


@pytest.mark.parametrize("wrong", ["a scale", "a bias", "all biases"])
def test_an_error_of_conversion_would_be_seen(
    give: Give, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    right, calls = convert.stream_norm, []

    def norm(of_sum: Affine) -> Any:
        calls.append(of_sum)
        if wrong == "a scale" and len(calls) == 2:
            of_sum = Affine(1.5 * of_sum.factor, of_sum.shift)
        if (wrong == "a bias" and len(calls) == 2) or wrong == "all biases":
            of_sum = Affine(of_sum.factor, 0 * of_sum.shift)
        return right(of_sum)

    monkeypatch.setattr(convert, "stream_norm", norm)
    result, apart = give()
    assert len(calls) == 3
    assert result.agreement < 0.99 and apart > 0.1
