"""Sensor series: recordings to windows, windows to bytes, and what is wrong with recordings."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from small_sets import Maker, picture_bytes, write_folder

from rbnn.spec.layout import FrontEnd
from rbnn.spec.series import Series
from rbnn.tasks import Form, TaskError, load_samples
from rbnn.tasks.load import load
from rbnn.tasks.sensors.series import inputs, window_of

FORM = Form(8, 6, 2)
"""A window of three channels has 32 time steps."""


def recording(number: int, steps: int = 80, channels: int = 3) -> npt.NDArray[np.float64]:
    generator = np.random.default_rng(number)
    scale = [0.01, 3.0, 900.0][:channels] + [1.0] * (channels - 3)
    return generator.normal(size=(steps, channels)) * scale + np.arange(channels) * 50


def csv_bytes(values: npt.NDArray[np.generic], names: str = "") -> bytes:
    lines = [",".join(map(str, row)) for row in values.tolist()]
    return "\n".join([*([names] if names else []), *lines, ""]).encode()


def npy_bytes(values: npt.NDArray[np.generic]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, values)
    return buffer.getvalue()


def recordings(kind: str = "csv") -> dict[str, bytes]:
    """Two classes of two recordings in each part."""
    write = csv_bytes if kind == "csv" else npy_bytes
    return {
        f"{part}/{label}/{number}.{kind}": write(recording(10 * place + number))
        for place, (part, label) in enumerate(
            (part, label) for part in ("train", "test") for label in ("still", "walk")
        )
        for number in range(2)
    }


def test_recordings_become_windows_of_the_input(make_set: Maker) -> None:
    data = load(f"imu={make_set(recordings())}", form=FORM)
    assert (data.kind, data.front_end) == ("series", FrontEnd.SERIES)
    assert data.series is not None
    assert (data.series.window, data.series.hop) == (32, 16)
    # 80 time steps: windows from 0, 16, 32 and 48; two recordings of each of two classes.
    assert data.train.images.shape == (16, 8, 6, 2)
    assert data.train.labels.tolist() == [0] * 8 + [1] * 8


def test_constants_are_those_of_the_training_part(make_set: Maker) -> None:
    series = load(f"imu={make_set(recordings())}", form=FORM).series
    assert series is not None
    whole = np.concatenate([recording(number) for number in (0, 1, 10, 11)])
    np.testing.assert_allclose(series.means, whole.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(series.factors, 32 / whole.std(axis=0), rtol=1e-4)


def test_values_fill_the_input_in_order_of_time(make_set: Maker) -> None:
    data = load(f"imu={make_set(recordings('npy'))}", form=FORM)
    series = data.series
    assert series is not None
    window = recording(0)[16:48].astype(np.float32)
    means, factors = np.float32(series.means), np.float32(series.factors)
    levels = np.clip(np.floor((window - means) * factors + np.float32(128.5)), 0, 255)
    assert np.array_equal(data.train.images[1].reshape(32, 3), levels.astype(np.uint8))


def test_csv_and_npy_of_the_same_values_are_the_same(tmp_path: Path) -> None:
    sets = (write_folder(tmp_path / kind, recordings(kind)) for kind in ("csv", "npy"))
    text, binary = (load(f"imu={path}", form=FORM) for path in sets)
    assert text.fingerprint == binary.fingerprint


def test_window_and_hop_are_remembered_with_the_decoded_set(make_set: Maker) -> None:
    path = make_set(recordings())
    form = Form(8, 6, 2, window=32, hop=48)
    first, again = (load(f"imu={path}", form=form) for _ in range(2))
    assert first.series == again.series and len(again.train) == 8
    assert load(f"imu={path}", form=FORM).fingerprint != first.fingerprint


def test_the_first_row_may_hold_names(make_set: Maker) -> None:
    files = recordings()
    plain = load(f"imu={make_set(files)}", form=FORM).fingerprint
    named = {name: "\ufeffx, y,z\r\n\r\n".encode() + raw for name, raw in files.items()}
    assert load(f"imu={make_set(named)}", form=FORM).fingerprint == plain


def test_a_channel_that_never_changes_is_in_the_middle(make_set: Maker) -> None:
    values = np.column_stack([recording(1), np.full(80, 1e6)])
    files = {
        f"{part}/{label}/0.csv": csv_bytes(values)
        for part in ("train", "test")
        for label in ("a", "b")
    }
    images = load(f"imu={make_set(files)}", form=Form(16, 4, 1)).train.images
    assert (images[:, :, 3] == 128).all() and images[:, :, :3].std() > 10


@pytest.mark.parametrize("value", [3e38, -3e38, 0.0])
def test_such_a_channel_is_in_the_middle_whatever_comes_later(value: float) -> None:
    series = Series(2, 2, (2e38, -2e38), (0.0, 0.0))
    found = inputs(series, np.full((2, 2), value, np.float32), (2, 2, 1))
    assert found.tolist() == [[[[128], [128]], [[128], [128]]]]


@pytest.mark.parametrize(
    ("form", "channels", "found"),
    [
        (Form(), 3, (1024, 512, (32, 32, 3))),
        (Form(20, 30, 2), 2, (600, 300, (20, 30, 2))),
        (Form(200, 6, 1), 6, (200, 100, (200, 6, 1))),
        (Form(20, 20, 3), 6, (200, 100, (20, 20, 3))),
        (Form(32, 32, 3), 1, (3072, 1536, (32, 32, 3))),
        (Form(32, 32, 3, window=1024), 1, (1024, 512, (32, 32, 1))),
        (Form(20, 30, None, hop=5), 5, (120, 5, (20, 30, 1))),
        (Form(80, 3, 1), 6, (40, 20, (80, 3, 1))),
    ],
)
def test_a_window_is_what_the_input_holds(form: Form, channels: int, found: object) -> None:
    assert window_of(form, channels, "set") == found


def test_a_window_that_does_not_fill_the_input_is_refused_with_the_one_that_does() -> None:
    with pytest.raises(TaskError, match="100 time steps of 3 channels does not fill") as caught:
        window_of(Form(8, 6, 2, window=100), 3, "set")
    assert "--window is 16 or 32" in caught.value.fix and "100x3x1" in caught.value.fix
    with pytest.raises(TaskError, match="a row of 12 values holds no whole time steps"):
        window_of(FORM, 7, "set")
    with pytest.raises(TaskError, match="a row of 7 values"):
        window_of(Form(96, 7, 1), 6, "set")


LINES = csv_bytes(recording(5)).decode().splitlines()


def with_line(number: int, text: str) -> bytes:
    """A recording whose line of that number is another."""
    return "\n".join([*LINES[: number - 1], text, *LINES[number:]]).encode()


@pytest.mark.parametrize(
    ("raw", "what"),
    [
        (with_line(7, "1,2"), "0.csv, line 7, has 2 values; line 1 has 3"),
        (with_line(7, "1,2,3,4"), "0.csv, line 7, has 4 values; line 1 has 3"),
        (with_line(9, "1,slow,3"), "0.csv, line 9, has 'slow' where a number belongs"),
        (with_line(9, "1,,3"), "0.csv, line 9, has nothing where a number belongs"),
        (with_line(4, "1,nan,3"), "0.csv, line 4, column 2, holds nan"),
        (with_line(4, "1,2,-inf"), "0.csv, line 4, column 3, holds -inf"),
        (with_line(4, "1,2,1e39"), "0.csv, line 4, column 3, holds 1e+39"),
        (csv_bytes(recording(5, 31)), "0.csv has 31 time steps; a window has 32"),
        (csv_bytes(recording(5, 80, 4)), "has 4 channels"),
        (b"x,y,z\n", "0.csv holds no values"),
        (b"", "0.csv holds no values"),
        (b"\xff\xfe1,2", "0.csv is not a text file"),
        (npy_bytes(recording(5)), "0.csv is not a text file"),
        (with_line(3, ",".join(["1"] * 65)), "line 3, has 65 values"),
    ],
)
def test_faults_of_a_recording_are_named_with_their_line(
    raw: bytes, what: str, make_set: Maker
) -> None:
    with pytest.raises(TaskError) as caught:
        load(f"imu={make_set(recordings() | {'train/walk/0.csv': raw})}", form=FORM)
    assert what in caught.value.what
    assert caught.value.fix


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"train/walk/0.npy": npy_bytes(recording(5).astype(np.float32))}, "holds float32 values;"),
        ({"train/walk/0.csv": csv_bytes(recording(5))}, "holds"),
        ({"train/walk/0.npy": npy_bytes(np.full((40, 3), np.nan))}, "0.npy, row 0, column 1"),
        ({"train/walk/0.npy": npy_bytes(np.array([["a"] * 3] * 40))}, "holds <U1 values"),
        ({"train/walk/0.npy": npy_bytes(np.zeros((32, 32, 3), np.uint8))}, "no sensor series"),
        ({"train/walk/0.png": picture_bytes(np.zeros((9, 9), np.uint8))}, "mixes"),
    ],
    ids=["another type", "text", "NaN", "words", "tensor", "picture"],
)
def test_sets_of_mixed_files_are_refused(
    changed: dict[str, bytes], what: str, make_set: Maker
) -> None:
    with pytest.raises(TaskError) as caught:
        load(f"imu={make_set(recordings('npy') | changed)}", form=FORM)
    assert what in caught.value.what


def test_several_faults_are_one_error(make_set: Maker) -> None:
    changed = {f"train/walk/{n}.csv": with_line(4 + n, "1,nan,3") for n in range(2)}
    with pytest.raises(TaskError, match="has 2 faults") as caught:
        load(f"imu={make_set(recordings() | changed)}", form=FORM)
    assert "line 4" in caught.value.what and "line 5" in caught.value.what


def test_one_recording_goes_the_way_of_the_set(make_set: Maker, tmp_path: Path) -> None:
    files = recordings()
    data = load(f"imu={make_set(files)}", form=FORM)
    path = tmp_path / "walk.csv"
    path.write_bytes(files["test/still/0.csv"])
    assert np.array_equal(load_samples(path, (8, 6, 2), data.series), data.test.images[:4])
    with pytest.raises(TaskError, match="but this task takes none"):
        load_samples(path, (8, 6, 2))
    other = Series(48, 1, (0.0, 0.0), (1.0, 1.0))
    with pytest.raises(TaskError, match="has 3 channels; the task takes 2"):
        load_samples(path, (8, 6, 2), other)
    path.write_bytes(csv_bytes(recording(3, 20)))
    with pytest.raises(TaskError, match="20 time steps; a window has 32"):
        load_samples(path, (8, 6, 2), data.series)
