"""The user's own folders and zips."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from small_sets import Maker, picture_bytes, small_files, tone, wav_bytes, write_folder, write_zip

from rbnn.tasks import TaskError, load_sample
from rbnn.tasks import tree as tree_module
from rbnn.tasks.load import load


def test_colour_pictures(make_set: Maker) -> None:
    path = make_set(small_files())
    data = load(f"mine={path}")
    assert data.name == "mine"
    assert data.labels == ("ants", "bees")
    assert data.kind == "image"
    assert data.train.images.shape == (4, 32, 32, 3)
    assert data.train.labels.tolist() == [0, 0, 1, 1]
    assert data.test.labels.tolist() == [0, 1]
    assert data.origin == str(path)
    assert load(data.source).fingerprint == data.fingerprint


def test_grey_pictures_have_one_channel(make_set: Maker) -> None:
    assert load(f"mine={make_set(small_files('grey'))}").channels == 1


def test_one_coloured_picture_makes_the_set_coloured(make_set: Maker) -> None:
    files = small_files("grey")
    files["test/bees/1.png"] = small_files()["test/bees/0.png"]
    assert load(f"mine={make_set(files)}").channels == 3


def test_sounds(make_set: Maker) -> None:
    data = load(f"mine={make_set(small_files('sound'))}")
    assert data.kind == "audio"
    assert data.train.images.shape == (4, 32, 32, 1)


def test_desktop_litter_is_skipped(make_set: Maker) -> None:
    files = small_files()
    files |= {"train/ants/.DS_Store": b"x", "train/Thumbs.db": b"x", "README.txt": b"hello"}
    files["__MACOSX/train/ants/._0.png"] = b"x"
    assert len(load(f"mine={make_set(files)}").train) == 4


def test_samples_go_through_the_same_pipeline(tmp_path: Path) -> None:
    for kind, name, channels in (
        ("colour", "0.png", 3),
        ("grey", "0.png", 1),
        ("sound", "0.wav", 1),
    ):
        root = write_folder(tmp_path / kind, small_files(kind))
        data = load(f"mine={root}")
        sample = load_sample(root / "test" / "bees" / name, channels)
        assert np.array_equal(sample, data.test.images[1])


def test_a_set_one_folder_deeper(make_set: Maker) -> None:
    whole = load(f"mine={make_set({f'set/{name}': raw for name, raw in small_files().items()})}")
    assert (len(whole.train), whole.labels) == (4, ("ants", "bees"))


def test_a_fault_one_folder_deeper_is_named_with_its_path(make_set: Maker) -> None:
    files = {f"set/{name}": raw for name, raw in small_files().items()}
    with pytest.raises(TaskError, match=r"/set/train/ants/0\.png is empty"):
        load(f"mine={make_set(files | {'set/train/ants/0.png': b''})}")


def test_class_folders_without_train_and_test_are_recognised(make_set: Maker) -> None:
    files = {name.partition("/")[2]: raw for name, raw in small_files().items()}
    with pytest.raises(TaskError, match="no folder train/") as caught:
        load(f"mine={make_set(files)}")
    assert "Its top level has ants, bees" in caught.value.fix


def _changed(**changes: bytes | None) -> dict[str, bytes]:
    files = small_files()
    for name, raw in changes.items():
        if raw is None:
            files = {key: value for key, value in files.items() if not key.startswith(name)}
        else:
            files[name] = raw
    return files


PNG = picture_bytes(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8))
JPEG = picture_bytes(np.zeros((8, 8), np.uint8), "JPEG")
REFUSALS = {
    "no train": (_changed(**{"train/": None}), "no folder train/"),
    "no test": (_changed(**{"test/": None}), "no folder test/"),
    "nothing": ({"README": b"x"}, "no folder train/"),
    "empty test": (_changed(**{"test/": None}) | {"test/": b""}, "test is empty"),
    "empty class": (_changed(**{"test/ants": None}) | {"test/ants/": b""}, "test/ants is empty"),
    "one class": (
        {name: raw for name, raw in small_files().items() if "ants" in name},
        "only one class: 'ants'",
    ),
    "other classes": (_changed(**{"test/wasps/0.png": PNG}), "'wasps' is only in test/"),
    "missing class": (_changed(**{"test/ants": None}), "'ants' is only in train/"),
    "stray file": (_changed(**{"train/0.png": PNG}), "train/0.png is not in a class folder"),
    "nested": (_changed(**{"train/ants/more/0.png": PNG}), "train/ants/more"),
    "wrong extension": (_changed(**{"train/ants/2.gif": PNG}), "2.gif is neither"),
    "no extension": (_changed(**{"train/ants/2": PNG}), "train/ants/2 is neither"),
    "other content": (_changed(**{"train/ants/2.png": JPEG}), "2.png is not a PNG"),
    "sound as picture": (_changed(**{"train/ants/2.jpg": wav_bytes(tone(9))}), "not a JPG"),
    "empty file": (_changed(**{"train/ants/2.png": b""}), "2.png is empty"),
    "cut off": (_changed(**{"train/ants/2.png": PNG[:-3000]}), "2.png is damaged"),
    "mixed": (_changed(**{"train/ants/2.wav": wav_bytes(tone(9))}), "mixes pictures and sounds"),
    "bad label": (
        {name.replace("ants", "a,b"): raw for name, raw in small_files().items()},
        "class named 'a,b'",
    ),
    "too many classes": (
        {f"{part}/{n:03}/0.png": PNG for part in ("train", "test") for n in range(65)},
        "65 classes",
    ),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_refusals_name_the_file_and_the_fix(case: str, make_set: Maker) -> None:
    files, what = REFUSALS[case]
    with pytest.raises(TaskError) as caught:
        load(f"mine={make_set(files)}")
    assert what in caught.value.what
    assert caught.value.fix


def _many(count: int, name: str, raw: bytes) -> dict[str, bytes]:
    return small_files() | {name.format(number): raw for number in range(count)}


MANY = {
    "damaged": (_many(13, "train/ants/x{:02}.png", PNG[:-3000]), "x{:02}.png is damaged", 13),
    "other content": (_many(3, "test/bees/x{:02}.png", JPEG), "x{:02}.png is not a PNG", 3),
    "extension": (_many(25, "train/ants/x{:02}.gif", PNG), "x{:02}.gif is neither", 25),
    "stray": (_many(11, "train/x{:02}.png", PNG), "train/x{:02}.png is not in a class folder", 11),
    "nested": (_many(2, "train/ants/x{:02}/0.png", PNG), "ants/x{:02} is a folder inside", 2),
    "classes": (_many(12, "test/x{:02}/0.png", PNG), "class 'x{:02}' is only in test/", 12),
    "labels": (
        {f"{part}/x{n:02}%/0.png": PNG for part in ("train", "test") for n in range(4)},
        "class named 'x{:02}%'",
        4,
    ),
}


@pytest.mark.parametrize("case", MANY)
def test_up_to_ten_faults_are_named_and_the_rest_counted(case: str, make_set: Maker) -> None:
    files, what, count = MANY[case]
    with pytest.raises(TaskError) as caught:
        load(f"mine={make_set(files)}")
    assert f"{count} faults" in caught.value.what
    named = [what.format(number) in caught.value.what for number in range(count)]
    assert sum(named) == min(count, 10) and all(named[:10])
    assert (f"and {count - 10} more." in caught.value.what) == (count > 10)
    assert caught.value.fix


def test_different_faults_are_in_one_error_with_each_fix_once(make_set: Maker) -> None:
    files = small_files() | {
        "train/ants/a.png": b"",
        "train/ants/b.png": b"",
        "test/bees/c.png": JPEG,
    }
    with pytest.raises(TaskError) as caught:
        load(f"mine={make_set(files)}")
    assert all(f"/{name}.png" in caught.value.what for name in "abc")
    assert caught.value.fix.count("Replace it or delete it.") == 1
    assert "Convert it" in caught.value.fix


def test_all_links_and_pipes_are_named(tmp_path: Path) -> None:
    root = write_folder(tmp_path / "set", small_files())
    (root / "train" / "ants" / "8.png").symlink_to(tmp_path / "gone.png")
    os.mkfifo(root / "train" / "ants" / "9.png")
    with pytest.raises(TaskError, match=r"(?s)2 faults.*") as caught:
        load(f"mine={root}")
    assert "8.png" in caught.value.what and "9.png is a pipe" in caught.value.what


def test_missing_path() -> None:
    with pytest.raises(TaskError, match="no folder or zip nowhere/at/all"):
        load("mine=nowhere/at/all")


def test_too_large_a_file(make_set: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_set(small_files())
    monkeypatch.setattr(tree_module, "MAX_FILE_BYTES", 1000)
    with pytest.raises(TaskError, match=r"0\.png is too large"):
        load(f"mine={path}")


def test_a_broken_link(tmp_path: Path) -> None:
    root = write_folder(tmp_path / "set", small_files())
    (root / "train" / "ants" / "9.png").symlink_to(tmp_path / "gone.png")
    with pytest.raises(TaskError, match=r"9\.png"):
        load(f"mine={root}")


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    root = write_folder(tmp_path / "set", small_files())
    os.mkfifo(root / "train" / "ants" / "9.png")
    with pytest.raises(TaskError, match=r"9\.png is a pipe or a device"):
        load(f"mine={root}")


def test_a_pipe_in_place_of_a_set(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "set.zip")
    with pytest.raises(TaskError, match="pipe or a device"):
        load(f"mine={tmp_path / 'set.zip'}")


def test_names_that_are_not_utf8(tmp_path: Path) -> None:
    files = small_files()
    files["train/ants/caf\udce9.png"] = PNG
    assert len(load(f"mine={write_folder(tmp_path / 'file', files)}").train) == 5
    files = {name.replace("ants", "caf\udce9"): raw for name, raw in small_files().items()}
    with pytest.raises(TaskError, match=r"class named 'caf\\udce9'") as caught:
        load(f"mine={write_folder(tmp_path / 'class', files)}")
    assert "UTF-8" in caught.value.fix


def test_a_loop_of_links(tmp_path: Path) -> None:
    root = write_folder(tmp_path / "set", small_files())
    (root / "train" / "ants" / "loop").symlink_to(root)
    with pytest.raises(TaskError, match="folder inside a class folder"):
        load(f"mine={root}")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_file(tmp_path: Path) -> None:
    root = write_folder(tmp_path / "set", small_files())
    (root / "train" / "ants" / "0.png").chmod(0)
    with pytest.raises(TaskError, match="Permission denied"):
        load(f"mine={root}")


@pytest.mark.parametrize("name", ["../evil.png", "train/../../evil.png", "/etc/x", "C:\\x.png"])
def test_a_zip_that_leads_outside(name: str, tmp_path: Path) -> None:
    path = write_zip(tmp_path / "set.zip", small_files() | {name: PNG})
    with pytest.raises(TaskError, match="leads outside"):
        load(f"mine={path}")
    assert not (tmp_path.parent / "evil.png").exists()


def test_damaged_zips(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "set.zip", small_files())
    raw = path.read_bytes()
    for number, damaged in enumerate((b"", b"no zip", raw[:-30], raw[: len(raw) // 2])):
        other = tmp_path / f"{number}.zip"
        other.write_bytes(damaged)
        with pytest.raises(TaskError, match="not a readable zip"):
            load(f"mine={other}")
    flipped = bytearray(raw)
    flipped[200] ^= 0xFF  # within the first member's data
    path.write_bytes(bytes(flipped))
    with pytest.raises(TaskError, match="damaged"):
        load(f"mine={path}")


def test_a_member_that_lies_about_its_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree_module, "MAX_FILE_BYTES", 100_000)
    path = write_zip(tmp_path / "set.zip", small_files() | {"train/ants/9.png": bytes(10**6)})
    raw = path.read_bytes().replace((10**6).to_bytes(4, "little"), (50).to_bytes(4, "little"))
    path.write_bytes(raw)
    with pytest.raises(TaskError, match=r"9\.png"):
        load(f"mine={path}")


def test_an_encrypted_zip(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "set.zip", small_files())
    raw = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        start = archive.start_dir
    raw[6] |= 1
    raw[start + 8] |= 1
    path.write_bytes(bytes(raw))
    with pytest.raises(TaskError, match="cannot be unpacked"):
        load(f"mine={path}")
