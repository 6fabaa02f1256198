"""Files and archives that other programs write: read as they are meant, or refused by name."""

from __future__ import annotations

import io
import unicodedata
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from small_sets import Maker, picture_bytes, small_files, tone, wav_bytes, write_folder, write_zip

from rbnn.tasks import TaskError, wav
from rbnn.tasks import tree as tree_module
from rbnn.tasks.load import load
from rbnn.tasks.picture import read_picture
from rbnn.tasks.resample import resample
from rbnn.tasks.wav import read_wav

PIXELS = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)


@pytest.mark.parametrize("prefix", ["./", "./set/", "set//", "set/./"])
def test_zip_paths_with_dots_and_doubled_slashes(prefix: str, tmp_path: Path) -> None:
    path = write_zip(tmp_path / "s.zip", {f"{prefix}{n}": raw for n, raw in small_files().items()})
    assert len(load(f"mine={path}").train) == 4


@pytest.mark.parametrize("name", ["train/ants/0.png", "train\\ants\\0.png", "./train/ants//0.png"])
def test_two_files_of_one_name_in_a_zip(name: str, tmp_path: Path) -> None:
    path = write_zip(tmp_path / "s.zip", small_files())
    with warnings.catch_warnings(), zipfile.ZipFile(path, "a") as archive:
        warnings.simplefilter("ignore")
        archive.writestr(name, picture_bytes(PIXELS))
    with pytest.raises(TaskError, match=r"two files named 'train/ants/0\.png'"):
        load(f"mine={path}")


def test_a_class_whose_accent_is_stored_in_two_ways_is_one_class(make_set: Maker) -> None:
    whole, apart = (unicodedata.normalize(form, "\u00c4mter") for form in ("NFC", "NFD"))
    files = {
        name.replace("ants", whole if name.startswith("train") else apart): raw
        for name, raw in small_files().items()
    }
    assert load(f"mine={make_set(files)}").labels == ("bees", whole)


def test_control_characters_in_names_are_escaped(tmp_path: Path) -> None:
    root = write_folder(tmp_path / "s", small_files() | {"train/ants/\x1b[31m\n.png": b""})
    with pytest.raises(TaskError) as caught:
        load(f"mine={root}")
    assert caught.value.what.isprintable()
    assert r"\x1b[31m\n.png is empty" in caught.value.what


def test_too_many_files_in_a_zip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree_module, "MAX_FILES", 3)
    path = write_zip(tmp_path / "s.zip", small_files())
    with pytest.raises(TaskError, match="6 files; the limit is 3"):
        load(f"mine={path}")


def test_other_archives_are_refused_with_what_is_expected(tmp_path: Path) -> None:
    (tmp_path / "s.tar.gz").write_bytes(b"\x1f\x8b\x08\0")
    with pytest.raises(TaskError, match="not a readable zip") as caught:
        load(f"mine={tmp_path / 's.tar.gz'}")
    assert "Name a folder or a zip file" in caught.value.fix


def test_a_picture_with_damaged_exif_is_shown_as_it_is() -> None:
    buffer = io.BytesIO()
    Image.fromarray(PIXELS).save(buffer, "PNG", exif=b"Exif\0\0garbage")
    assert np.array_equal(read_picture(buffer.getvalue(), "x"), PIXELS)


def test_a_turned_picture_with_exif_that_cannot_be_written_again() -> None:
    buffer = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 3
    raw = exif.tobytes()
    broken = raw[:-4] + b"\xff\xff\xff\x7f"  # a next directory beyond the end
    Image.fromarray(PIXELS).save(buffer, "PNG", exif=broken)
    assert np.array_equal(read_picture(buffer.getvalue(), "x"), PIXELS[::-1, ::-1])


def test_the_first_picture_of_a_camera_with_two() -> None:
    buffer = io.BytesIO()
    first, second = (Image.new("RGB", (64, 64), colour) for colour in ("red", "blue"))
    first.save(buffer, "MPO", save_all=True, append_images=[second])
    image = read_picture(buffer.getvalue(), "x").astype(int)
    assert np.abs(image - (255, 0, 0)).max() < 5


def test_bytes_after_the_end_of_a_picture_are_skipped() -> None:
    assert np.array_equal(read_picture(picture_bytes(PIXELS) + bytes(999), "x"), PIXELS)


@pytest.mark.parametrize("rate", [44_101, 95_999, 383_987])
def test_rates_without_a_factor_in_common_with_16_khz(
    rate: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    factors = []

    def spy(samples: np.ndarray, up: int, down: int) -> np.ndarray:
        factors.append(max(up, down))
        return resample(samples, up, down)

    monkeypatch.setattr(wav, "resample", spy)
    sound = read_wav(wav_bytes(tone(500, rate=rate), rate), "x")
    assert max(factors) <= 10_000  # the time that it takes is proportional to this
    assert abs(len(sound) - 16_000) <= 1
    middle = slice(500, 15_000)
    assert np.abs(sound[middle] - tone(500)[middle]).max() < 0.06


def test_floats_of_any_size_are_a_sound() -> None:
    huge = read_wav(wav_bytes(tone(500) * 1e300, code=3, bits=64), "x")
    assert np.abs(huge).max() == 1
    tiny = read_wav(wav_bytes(tone(500) * 1e-310, code=3, bits=64), "x")
    assert np.abs(tiny).max() < 1e-300
