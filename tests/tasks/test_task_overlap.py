"""Test samples that take part in training: copies and near copies are counted and named."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import typer
from PIL import Image, ImageEnhance
from small_sets import picture_bytes, small_files, tone, wav_bytes, write_folder
from typer.testing import CliRunner

from rbnn.cli.tasks import register
from rbnn.tasks import TaskData
from rbnn.tasks.load import load
from rbnn.tasks.overlap import Overlap, describe_overlap, find_overlap


def _photograph(seed: int, size: int = 96) -> Image.Image:
    """Smooth shapes in colour, as in a photograph."""
    random = np.random.default_rng(seed)
    small = Image.fromarray(random.integers(0, 256, (7, 7, 3), np.uint8))
    return small.resize((size, size), Image.Resampling.BICUBIC)


def _png(picture: Image.Image) -> bytes:
    return picture_bytes(np.asarray(picture))


def _jpeg(quality: int) -> Callable[[Image.Image], Image.Image]:
    def compress(picture: Image.Image) -> Image.Image:
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=quality)
        return Image.open(buffer)

    return compress


def _pictures(root: Path, test: list[Image.Image]) -> TaskData:
    """A task with 20 photographs to train on, and these to test."""
    files = {f"train/{'ab'[n % 2]}/{n}.png": _png(_photograph(n)) for n in range(20)}
    files |= {f"test/{'ab'[n % 2]}/{n}.png": _png(picture) for n, picture in enumerate(test)}
    return load(f"mine={write_folder(root, files)}")


def test_other_samples_are_not_counted(tmp_path: Path) -> None:
    data = _pictures(tmp_path, [_photograph(n) for n in range(100, 130)])
    assert find_overlap(data) == Overlap(0, 0)
    assert describe_overlap(data, Overlap(0, 0)) is None


def test_a_test_set_that_is_a_copy_of_the_training_set(tmp_path: Path) -> None:
    data = _pictures(tmp_path, [_photograph(n) for n in range(20)])
    assert find_overlap(data) == Overlap(20, 0)
    assert "20 of 20 test samples of task mine are training samples too" in str(
        describe_overlap(data, Overlap(20, 0))
    )


@pytest.mark.parametrize(
    "change",
    [
        _jpeg(90),
        _jpeg(60),
        lambda picture: picture.resize((64, 64), Image.Resampling.BILINEAR),
        lambda picture: picture.resize((300, 200), Image.Resampling.BICUBIC),
        lambda picture: ImageEnhance.Brightness(picture).enhance(0.8),
        lambda picture: ImageEnhance.Contrast(picture).enhance(0.7),
        lambda picture: picture.convert("L").convert("RGB").convert("P").convert("RGB"),
    ],
    ids=["jpeg 90", "jpeg 60", "smaller", "stretched", "darker", "flatter", "of 8 bits"],
)
def test_near_copies_of_pictures(
    change: Callable[[Image.Image], Image.Image], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    grey = "of 8 bits" in request.node.name
    sources = [_photograph(n) for n in range(20)]
    if grey:
        sources = [picture.convert("L").convert("RGB") for picture in sources]
        files = {f"train/{'ab'[n % 2]}/{n}.png": _png(one) for n, one in enumerate(sources)}
        files |= {f"test/{'ab'[n % 2]}/{n}.png": _png(change(one)) for n, one in enumerate(sources)}
        data = load(f"mine={write_folder(tmp_path, files)}")
    else:
        data = _pictures(tmp_path, [change(picture) for picture in sources])
    found = find_overlap(data)
    assert found.equal + found.alike == 20
    text = str(describe_overlap(data, found))
    assert "mine" in text and "20" in text


def test_near_copies_of_sounds(tmp_path: Path) -> None:
    files = small_files("sound")
    random = np.random.default_rng(1)
    for label, hertz in (("ants", 600), ("bees", 3000)):
        noise = 0.1 * random.standard_normal(16_000)
        sound = tone(hertz) * np.linspace(0, 1, 16_000) + noise
        files[f"train/{label}/9.wav"] = wav_bytes(sound)
        files[f"test/{label}/0.wav"] = wav_bytes(sound * 0.5, bits=8)
    assert find_overlap(load(f"mine={write_folder(tmp_path, files)}")).alike == 2


def test_samples_of_one_colour_are_only_compared_byte_by_byte(tmp_path: Path) -> None:
    plain = [Image.new("RGB", (32, 32), (value, value, value)) for value in (10, 20, 30)]
    files = {f"train/{label}/0.png": _png(plain[n]) for n, label in enumerate("ab")}
    files |= {f"test/{label}/0.png": _png(plain[n + 1]) for n, label in enumerate("ab")}
    assert find_overlap(load(f"mine={write_folder(tmp_path, files)}")) == Overlap(1, 0)


def test_rbnn_tasks_says_how_many(tmp_path: Path) -> None:
    files = small_files()
    files["test/ants/0.png"] = files["train/ants/0.png"]
    app = typer.Typer()
    register(app)
    spec = f"mine={write_folder(tmp_path, files)}"
    shown = CliRunner().invoke(app, [spec]).stdout
    assert "1 of 2 test samples of task mine are training samples too" in " ".join(shown.split())
    (row,) = json.loads(CliRunner().invoke(app, [spec, "--json"]).stdout)["tasks"]
    assert row["test_in_train"] == {"equal": 1, "alike": 0}
