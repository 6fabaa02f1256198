"""The two tasks that need no download."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from rbnn.tasks import KNOWN, Split, TaskData, TaskError
from rbnn.tasks.dataset import Kind
from rbnn.tasks.load import load
from rbnn.tasks.sets import words

needs_espeak = pytest.mark.skipif(
    shutil.which("espeak-ng") is None, reason="no espeak-ng: apt-get install espeak-ng"
)


def _linear_accuracy(data: TaskData) -> float:
    """Test accuracy of ridge regression onto the classes, in closed form."""

    def features(split: Split) -> np.ndarray:
        flat = split.images.reshape(len(split), -1) / 255 - data.train.images.mean() / 255
        return np.hstack((flat, np.ones((len(flat), 1))))

    inputs, wanted = features(data.train), np.eye(len(data.labels))[data.train.labels]
    weights = np.linalg.solve(inputs.T @ inputs + 30 * np.eye(inputs.shape[1]), inputs.T @ wanted)
    found = (features(data.test) @ weights).argmax(axis=1)
    return float(np.mean(found == data.test.labels))


def test_digits() -> None:
    data = load("digits")
    assert data.labels == tuple("0123456789")
    assert data.train.images.shape == (1438, 32, 32, 1)
    assert data.test.images.shape == (359, 32, 32, 1)
    assert np.bincount(data.test.labels).min() >= 34
    assert data.train.images.min() == 0 and data.train.images.max() == 255
    assert load("digits").fingerprint == data.fingerprint
    assert _linear_accuracy(data) > 0.9


@needs_espeak
@pytest.mark.parametrize(
    ("train", "test", "reached"),
    [
        pytest.param(20, 10, 0.5, id="fewer"),
        pytest.param(120, 40, 0.85, id="whole", marks=pytest.mark.full),
    ],
)
def test_words(
    train: int, test: int, reached: float, shared_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of fewer utterances; of all in ``make test-full``."""
    monkeypatch.setattr(words, "UTTERANCES", {"train": train, "test": test})
    total = 10 * (train + test)
    steps: list[tuple[str, int, int]] = []
    data = load("words", cache=shared_cache, progress=lambda *step: steps.append(step))
    assert data.labels == words.WORDS
    assert data.kind == KNOWN["words"].kind == "audio"
    assert np.bincount(data.train.labels).tolist() == [2 * train] * 10
    assert np.bincount(data.test.labels).tolist() == [test] * 10
    assert steps[-1] == ("speaking words", total, total)
    assert _linear_accuracy(data) > reached
    steps.clear()
    assert load("words", cache=shared_cache).fingerprint == data.fingerprint
    assert steps == []


def test_no_test_voice_occurs_in_training() -> None:
    assert not set(words.VARIANTS["train"]) & set(words.VARIANTS["test"])
    assert len(set(words.WORDS)) == 10


@needs_espeak
def test_the_words_are_the_same_on_every_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "UTTERANCES", {"train": 2, "test": 1})
    first, second = words.make(), words.make()
    assert np.array_equal(first.train.images, second.train.images)
    assert np.array_equal(first.test.images, second.test.images)
    assert len({image.tobytes() for image in first.train.images}) == len(first.train)


@needs_espeak
def test_every_voice_speaks_differently() -> None:
    voices = [*words.VARIANTS["train"], *words.VARIANTS["test"]]
    spoken = {words.speak("seven", f"en-us+{voice}", 50, 160).tobytes() for voice in voices}
    assert len(spoken) == len(voices)


def test_without_espeak(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(TaskError) as caught:
        load("words")
    assert "espeak-ng" in caught.value.what
    assert caught.value.fix == "Install it: sudo apt-get install espeak-ng"


@pytest.mark.parametrize(
    ("script", "what"), [("exit 3", "failed"), ("true", "said nothing"), ("sleep 9", "failed")]
)
def test_a_broken_espeak(
    script: str, what: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "espeak-ng"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda _: str(program))
    monkeypatch.setattr(words, "SPEAK_SECONDS", 0.5)
    with pytest.raises(TaskError, match=what):
        words.make()


@pytest.mark.parametrize("length", [10, 8_000, 16_000, 30_000])
def test_a_spoken_word_is_placed_within_the_second(length: int) -> None:
    clip = words.place(np.ones(length), np.random.default_rng(1))
    assert clip.shape == (16_000,)
    assert words.PEAK[0] <= np.abs(clip).max() <= words.PEAK[1]


def _split(count: int, channels: int = 1) -> Split:
    return Split(np.zeros((count, 32, 32, channels), np.uint8), np.zeros(count, np.int64))


def test_wrong_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="Received: float64"):
        Split(np.zeros((1, 32, 32, 1)), np.zeros(1, np.int64))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"\(28, 28, 1\)"):
        Split(np.zeros((28, 28, 1), np.uint8), np.zeros(1, np.int64))
    with pytest.raises(ValueError, match="Labels are int64"):
        Split(np.zeros((1, 32, 32, 1), np.uint8), np.zeros(2, np.int64))
    kind: Kind = "image"
    with pytest.raises(ValueError, match="the same shape"):
        TaskData("x", ("a", "b"), _split(1, 1), _split(1, 3), "x", "x", kind)
    with pytest.raises(TaskError, match="needs two"):
        TaskData("x", ("a",), _split(1), _split(1), "x", "x", kind)
