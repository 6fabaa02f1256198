"""Samples of other shapes than 32x32: pictures, sounds, and tensors that are taken as they are."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from small_sets import Maker, picture_bytes, small_files, tone, wav_bytes

from rbnn.spec.layout import FrontEnd
from rbnn.tasks import Form, TaskError, load_samples
from rbnn.tasks.audio import log_mel_image
from rbnn.tasks.form import parse_input
from rbnn.tasks.load import load
from rbnn.tasks.overlap import find_overlap
from rbnn.tasks.sets import digits

VWW = Form(96, 96, 3)
KWS = Form(49, 10, 1)


def npy_bytes(array: npt.NDArray[np.generic]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def tensors(*shape: int, count: int = 2) -> dict[str, bytes]:
    """Two classes of tensors."""
    generator = np.random.default_rng(1)
    return {
        f"{part}/{label}/{number}.npy": npy_bytes(generator.integers(0, 256, shape, np.uint8))
        for part in ("train", "test")
        for label in ("no", "yes")
        for number in range(count)
    }


def test_pictures_are_scaled_to_the_input(make_set: Maker) -> None:
    files = small_files()
    data = load(f"mine={make_set(files)}", form=VWW)
    assert data.train.images.shape == (4, 96, 96, 3)
    with Image.open(io.BytesIO(files["train/ants/0.png"])) as picture:
        scaled = picture.convert("RGB").resize((96, 96), Image.Resampling.LANCZOS)
    assert np.array_equal(data.train.images[0], np.asarray(scaled))


def test_each_shape_has_its_own_place_in_the_cache(make_set: Maker) -> None:
    path = make_set(small_files())
    shapes = [load(f"mine={path}", form=form).sides for form in (Form(), VWW, Form(), VWW)]
    assert shapes == [(32, 32), (96, 96), (32, 32), (96, 96)]


def test_an_input_of_one_channel_turns_colours_grey(make_set: Maker) -> None:
    data = load(f"mine={make_set(small_files())}", form=Form(20, 30, 1))
    assert data.train.images.shape == (4, 20, 30, 1)
    colour = load(f"mine={make_set(small_files())}", form=Form(20, 30, 3)).train.images
    mean = colour.astype(int) @ [19595, 38470, 7471] + 0x8000 >> 16
    assert np.array_equal(data.train.images[..., 0], mean)


def test_an_input_without_a_place_for_colours_is_refused(make_set: Maker) -> None:
    with pytest.raises(TaskError, match="3 channels; an input of 32x32x2 takes 1 or 2"):
        load(f"mine={make_set(small_files())}", form=Form(32, 32, 2))


def test_time_runs_along_the_longer_side_of_a_sound() -> None:
    """A click in the first half: rows of a tall input, columns of a wide one."""
    samples = np.zeros(16_000)
    samples[3_000:3_200] = tone(2_000)[:200]
    tall, wide = (log_mel_image(samples, sides)[..., 0] for sides in ((49, 10), (10, 49)))
    assert np.array_equal(tall, wide.T)
    assert tall[:24].mean() > 2 * tall[24:].mean()


def test_a_device_has_no_front_end_for_sounds_that_were_scaled(make_set: Maker) -> None:
    path = make_set(small_files("sound"))
    assert load(f"mine={path}").front_end is FrontEnd.LOG_MEL
    scaled = load(f"mine={path}", form=KWS)
    assert (scaled.sides, scaled.front_end) == ((49, 10), FrontEnd.NONE)


def test_built_in_sets_have_the_input_too() -> None:
    made = digits.make((49, 10))
    assert made.train.images.shape[1:] == (49, 10, 1)


def test_copies_are_found_in_any_shape(make_set: Maker) -> None:
    files = small_files()
    files["test/ants/1.png"] = files["train/ants/0.png"]
    for form in (VWW, Form(49, 10, 1), Form(20, 30, 3)):
        assert find_overlap(load(f"mine={make_set(files)}", form=form)).equal == 1


def test_tensors_are_taken_as_they_are(make_set: Maker) -> None:
    files = tensors(49, 10, 1)
    data = load(f"mine={make_set(files)}", form=KWS)
    assert (data.kind, data.front_end) == ("tensor", FrontEnd.NONE)
    for name, image in zip(sorted(files)[4:], data.train.images, strict=True):
        assert np.array_equal(np.load(io.BytesIO(files[name])), image)


def test_tensors_may_have_two_or_four_channels(make_set: Maker) -> None:
    for channels in (2, 4):
        assert load(f"mine={make_set(tensors(32, 32, channels))}").channels == channels


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"train/no/0.npy": npy_bytes(np.zeros((10, 49, 1), np.uint8))}, "uint8 values of 10x49x1"),
        ({"train/no/1.npy": npy_bytes(np.zeros((49, 10, 1), np.int16))}, "1.npy holds int16"),
        ({"train/no/1.npy": npy_bytes(np.zeros((49, 10), np.uint8))}, "1.npy holds uint8"),
        ({"train/no/1.npy": b"\x93NUMPYjunk"}, "1.npy is not a readable NumPy file"),
        ({"train/no/1.npy": npy_bytes(np.array([{}]))}, "1.npy is not a readable NumPy file"),
        ({"train/no/1.npy": b""}, "1.npy is empty"),
        ({"train/no/1.npy": picture_bytes(np.zeros((9, 9), np.uint8))}, "1.npy is not a NPY file"),
        ({"train/no/1.wav": wav_bytes(tone(9))}, "mixes"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_tensors_that_do_not_fit_are_named(
    changed: dict[str, bytes], what: str, make_set: Maker
) -> None:
    with pytest.raises(TaskError) as caught:
        load(f"mine={make_set(tensors(49, 10, 1) | changed)}", form=KWS)
    assert what in caught.value.what
    assert caught.value.fix


def test_one_sample_goes_the_way_of_the_set(make_set: Maker, tmp_path: Path) -> None:
    files = small_files()
    data = load(f"mine={make_set(files)}", form=VWW)
    (tmp_path / "0.png").write_bytes(files["train/ants/0.png"])
    found = load_samples(tmp_path / "0.png", (96, 96, 3))
    assert np.array_equal(found, data.train.images[:1])
    (tmp_path / "0.npy").write_bytes(npy_bytes(found[0]))
    assert np.array_equal(load_samples(tmp_path / "0.npy", (96, 96, 3)), found)
    with pytest.raises(TaskError, match="is a picture, but this task takes inputs of 2 channels"):
        load_samples(tmp_path / "0.png", (96, 96, 2))


def test_windows_are_for_series_only(make_set: Maker) -> None:
    with pytest.raises(TaskError, match="no sensor series; --window"):
        load(f"mine={make_set(small_files())}", form=Form(window=9))


@pytest.mark.parametrize(
    "text",
    ["9" * 5000 + "x1x1", "1x1x" + "9" * 5000, "0x1x1", "+3x3x1", "3_2x32x1", "\u0663x3x1", ""],
)
def test_an_input_that_is_no_shape_is_refused_in_a_line(text: str) -> None:
    with pytest.raises(TaskError, match="height x width x channels") as refusal:
        parse_input(text)
    assert len(str(refusal.value)) < 300
