"""``rbnn import`` as typed: a model that Keras trained on the digits, until it is exported."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from larq_models import BINARY, FIRST, conv, layers
from typed import typed, typed_here

from rbnn.nets.framework import lq, tf
from rbnn.tasks.load import load


def trained() -> Any:
    """A few seconds of training."""
    tf.keras.utils.set_random_seed(1)
    model = tf.keras.Sequential(
        [
            tf.keras.Input((32, 32, 1)),
            lq.layers.QuantConv2D(32, 3, strides=2, **FIRST),
            layers.BatchNormalization(momentum=0.8),
            conv(32, strides=2),
            layers.BatchNormalization(momentum=0.8),
            layers.Flatten(),
            lq.layers.QuantDense(10, **BINARY),
            layers.BatchNormalization(momentum=0.8),
        ]
    )
    loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(tf.keras.optimizers.Adam(0.01), loss)
    data = load("digits").train
    model.fit(data.images / 127.5 - 1, data.labels, batch_size=32, epochs=3, verbose=0)
    return model


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("work")
    trained().save(where / "digits net.keras")
    return where


@pytest.fixture(scope="module")
def document(folder: Path) -> Any:
    done = typed_here(folder, "import", "digits net.keras", "--task", "digits", "--json")
    assert done.returncode == 0, done.stderr
    assert "Pixels -1..1: " in done.stderr
    return json.loads(done.stdout)


def test_the_run_computes_what_the_model_does(document: Any) -> None:
    assert document["task"] == "digits"
    assert document["samples"] == 359
    assert document["keras_accuracy"] > 0.7
    assert document["agreement"] > 0.99
    assert abs(document["accuracy"] - document["keras_accuracy"]) < 0.01
    assert document["notes"] == []


def test_the_run_is_evaluated_exported_and_reported(folder: Path, document: Any) -> None:
    measured = typed_here(folder, "eval", document["run"], "--wrong-secrets", "3", "--json")
    (task,) = json.loads(measured.stdout)["tasks"]
    assert task["accuracy"] == document["accuracy"]
    assert task["wrong_secrets"]["mean"] < 0.3
    exported = typed_here(folder, "export", document["run"], "--json")
    assert exported.returncode == 0, exported.stderr
    (check,) = json.loads(exported.stdout)["checks"]
    assert check["differing_outputs"] == 0 and check["agreement"] == 1.0
    reported = typed_here(folder, "report", document["run"])
    assert reported.returncode == 0, reported.stderr
    page = (folder / document["run"] / "report.html").read_text()
    assert "digits net.keras" in page and "rbnn import" in page
    assert "in Keras, then imported" in page
    assert "earning rate" not in page and "Training is not finished" not in page
    card = (folder / document["run"] / "MODEL_CARD.md").read_text()
    assert "imported from: digits net.keras" in card and "Trained in Keras" in card


def test_it_is_not_trained_further(folder: Path, document: Any) -> None:
    done = typed(folder, "train", "--resume", document["run"])
    assert done.returncode == 1
    assert "was imported from digits net.keras" in done.stderr


def test_the_summary_names_what_follows(folder: Path) -> None:
    done = typed_here(
        folder, *("import", "digits net.keras", "--task", "digits", "--scale", "0.0078431372"),
        *("--offset", "-1", "--out", "others"),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("359 test samples: digits net.keras ")
    assert lines[1].startswith("Run: others/")
    assert lines[2].startswith("Continue with: rbnn flash others/")


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (("none.h5", "--task", "digits"), "There is no model none.h5"),
        (("x.h5", "--task", "mine"), "Unknown task 'mine'"),
        (("x.h5", "--task", "mine", "--data", "digits"), "cannot be called mine"),
        (("x.h5", "--task", "mine", "--data", "no/folder"), "no/folder"),
        (("x.h5", "--task", "digits", "--scale", "0"), "--scale must not be 0"),
    ],
)
def test_refusals_leave_nothing(tmp_path: Path, arguments: tuple[str, ...], what: str) -> None:
    done = typed(tmp_path, "import", *arguments)
    assert done.returncode == 1
    assert what in done.stderr
    assert not list(tmp_path.iterdir())
