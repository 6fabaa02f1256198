"""One file for the board (``rbnn infer``): read from its place, or given as bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_sets import picture_bytes, tone, wav_bytes

from rbnn.errors import RbnnError
from rbnn.tasks import TaskError, load_sample
from rbnn.tasks.sample import decode_sample
from rbnn.tasks.tree import MAX_FILE_BYTES


@pytest.mark.parametrize(
    ("name", "raw", "channels", "what"),
    [
        ("a.txt", b"hello", 1, "neither PNG, JPEG, WAV, CSV nor NPY"),
        ("a.png", b"hello", 1, "not a PNG"),
        ("a.wav", b"", 1, "is empty"),
        ("a.wav", wav_bytes(tone(500)), 3, "is a sound"),
    ],
)
def test_sample_refusals(tmp_path: Path, name: str, raw: bytes, channels: int, what: str) -> None:
    path = tmp_path / name
    path.write_bytes(raw)
    with pytest.raises(TaskError, match=what):
        load_sample(path, channels)


def test_missing_sample_and_folder_as_sample(tmp_path: Path) -> None:
    with pytest.raises(TaskError, match="No such file"):
        load_sample(tmp_path / "gone.png", 1)
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(TaskError, match="is a folder"):
        load_sample(tmp_path / "folder.png", 1)


def test_a_colour_sample_for_a_grey_task(tmp_path: Path) -> None:
    path = tmp_path / "red.png"
    path.write_bytes(picture_bytes(np.full((9, 9, 3), (255, 0, 0), np.uint8)))
    assert (load_sample(path, 1) == 76).all()
    assert load_sample(path, 3).shape == (32, 32, 3)


def test_a_file_that_was_read_is_decoded_and_refused_as_one_that_is_named(tmp_path: Path) -> None:
    for name, raw in (
        ("red.png", picture_bytes(np.full((9, 9, 3), (255, 0, 0), np.uint8))),
        ("tone.wav", wav_bytes(tone(500))),
    ):
        (tmp_path / name).write_bytes(raw)
        assert np.array_equal(load_sample(tmp_path / name, 1), decode_sample(raw, name, 1))
    for name, raw, channels, what in (
        ("a.txt", b"hello", 1, "^a.txt is neither PNG, JPEG, WAV, CSV nor NPY"),
        ("a.png", b"hello", 1, "^a.png is not a PNG"),
        ("a.wav", b"", 1, "^a.wav is empty"),
        ("tone.wav", wav_bytes(tone(500)), 3, "^tone.wav is a sound"),
        ("a.png", bytes(MAX_FILE_BYTES + 1), 1, "^a.png is larger than 64 MiB"),
    ):
        with pytest.raises(TaskError, match=what):
            decode_sample(raw, name, channels)


@pytest.mark.parametrize(
    ("channels", "sides"),
    [
        *[(3, sides) for sides in ((0, 0), (-5, 32), (32.5, 32), (32,), "ab", None, 32)],
        *[(3, sides) for sides in ((10**9, 10**9), (10**5000, 1), (97, 96))],
        *[(channels, (32, 32)) for channels in (0, -1, 7, None, "3", True, 1.0)],
    ],
)
def test_arguments_are_not_blamed_on_the_file(tmp_path: Path, channels: Any, sides: Any) -> None:
    path = tmp_path / "nothing.png"
    with pytest.raises(RbnnError) as refusal:
        load_sample(path, channels, sides)
    assert "nothing.png" not in str(refusal.value)


@pytest.mark.parametrize("path", [None, 3, b"a.png", "a\0.png", "a" * 5000 + ".png"])
def test_what_is_no_path_is_refused(path: Any) -> None:
    with pytest.raises(RbnnError):
        load_sample(path, 3)


def test_numbers_of_numpy_are_numbers(tmp_path: Path) -> None:
    (tmp_path / "red.png").write_bytes(picture_bytes(np.full((9, 9, 3), 7, np.uint8)))
    sides: Any = (np.int64(20), np.int32(30))
    assert load_sample(tmp_path / "red.png", 3, sides).shape == (20, 30, 3)
