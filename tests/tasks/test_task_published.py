"""MNIST, Fashion-MNIST, EMNIST, GTSRB and FSDD, from small official archives to tensors."""

from __future__ import annotations

import struct
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from local_server import Publisher, Shelf
from small_archives import (
    emnist_files,
    fsdd_files,
    gtsrb_files,
    idx_bytes,
    letter,
    mnist_files,
    tar_bytes,
    zip_bytes,
)
from small_sets import picture_bytes, tone, wav_bytes

from rbnn.tasks import KNOWN, TaskError
from rbnn.tasks.load import load
from rbnn.tasks.picture import fit, read_picture
from rbnn.tasks.sets import emnist, fsdd, gtsrb, mnist
from rbnn.tasks.sets.catalogue import published
from rbnn.tasks.sets.idx import DAMAGE, read_idx, read_labels


@pytest.mark.parametrize(("name", "attribute"), [("mnist", "MNIST"), ("fashion", "FASHION")])
def test_mnist_and_fashion_mnist(
    name: str, attribute: str, shelf: Shelf, publish: Publisher, own_cache: Path
) -> None:
    publish(mnist, attribute, mnist_files())
    steps: list[tuple[str, int, int]] = []
    data = load(name, progress=lambda *step: steps.append(step))
    assert data.labels == tuple("0123456789")
    assert data.train.images.shape == (20, 32, 32, 1)
    assert data.train.labels.tolist() == [*range(10), *range(10)]
    assert data.test.labels.tolist() == list(range(10))
    assert data.kind == "image" and data.source == name
    # A picture file of the same pixels becomes the same image.
    as_file = read_picture(picture_bytes(letter(7)), "x")
    assert np.array_equal(data.test.images[7], as_file[..., :1])
    assert [what for what, *_ in steps if what.startswith("reading")]
    assert load(name).fingerprint == data.fingerprint
    assert len(shelf.asked) == 4
    names = {path.name for path in (own_cache / "downloads").iterdir()}
    assert names == {archive.name for archive in published(name).archives}


def test_emnist_letters_are_turned_upright(publish: Publisher) -> None:
    publish(emnist, "SET", [zip_bytes(emnist_files())])
    data = load("emnist")
    assert data.labels == tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    assert (len(data.train), len(data.test)) == (52, 26)
    assert data.train.labels[:26].tolist() == list(range(26))
    for number in (1, 26):
        assert np.array_equal(data.test.images[number - 1], fit(letter(number)))


def test_gtsrb(publish: Publisher) -> None:
    publish(gtsrb, "SET", [zip_bytes(files) for files in gtsrb_files()])
    data = load("gtsrb")
    assert data.labels[0] == "00" and data.labels[42] == "42"
    assert data.train.images.shape == (86, 32, 32, 3)
    assert data.train.images[:, 0, 0, 0].tolist() == [2 * n for n in range(43) for _ in range(2)]
    assert data.train.labels.tolist() == [n for n in range(43) for _ in range(2)]
    assert (data.test.images[:, 5, 5, 0] == 2 * data.test.labels + 1).all()
    assert sorted(data.test.labels.tolist()) == list(range(43))


def test_fsdd_is_split_by_take(publish: Publisher) -> None:
    publish(fsdd, "SET", [tar_bytes(fsdd_files())])
    data = load("fsdd")
    assert data.kind == KNOWN["fsdd"].kind == "audio"
    assert np.bincount(data.train.labels).tolist() == [4] * 10
    assert np.bincount(data.test.labels).tolist() == [10] * 10
    assert data.train.images.reshape(40, -1).any(axis=1).all()


def _write(folder: Path, bodies: list[bytes]) -> list[Path]:
    paths = []
    for number, body in enumerate(bodies):
        paths.append(folder / f"{number}.bin")
        paths[-1].write_bytes(body)
    return paths


def _official(name: str) -> list[bytes]:
    return {
        "mnist": lambda: mnist_files(),
        "emnist": lambda: [zip_bytes(emnist_files())],
        "gtsrb": lambda: [zip_bytes(files) for files in gtsrb_files()],
        "fsdd": lambda: [tar_bytes(fsdd_files())],
    }[name]()


@pytest.mark.parametrize("name", ["mnist", "emnist", "gtsrb", "fsdd"])
@pytest.mark.parametrize("damage", ["empty", "rubbish", "cut", "swapped"])
def test_another_file_in_its_place_is_named(name: str, damage: str, tmp_path: Path) -> None:
    good = _official(name)
    for number, body in enumerate(good):
        bad = {
            "empty": b"",
            "rubbish": b"rubbish" * 100,
            "cut": body[: len(body) * 2 // 3],
            "swapped": _official("mnist")[1 - number % 2],
        }[damage]
        paths = _write(tmp_path, [*good[:number], bad, *good[number + 1 :]])
        with pytest.raises(TaskError) as caught:
            published(name).read(paths, None)
        assert str(paths[number]) in caught.value.what or name == "mnist"
        assert "run the command again" in caught.value.fix


def _without(files: dict[str, bytes], part: str) -> dict[str, bytes]:
    return {name: raw for name, raw in files.items() if part not in name}


@pytest.mark.parametrize(
    ("module", "bodies"),
    [
        (emnist, [zip_bytes(_without(emnist_files(), "test-labels"))]),
        (gtsrb, [zip_bytes(_without(f, "Images/00042/")) for f in gtsrb_files()]),
        (gtsrb, [zip_bytes(_without(f, "Final_Test/Images/00007")) for f in gtsrb_files()]),
        (gtsrb, [zip_bytes(_without(f, "GT-final_test.csv")) for f in gtsrb_files()]),
        (gtsrb, [*[zip_bytes(f) for f in gtsrb_files()[:2]], zip_bytes(
            {"GT-final_test.csv": b"Filename;Width\n00000.ppm;3\n"})]),
        (fsdd, [tar_bytes(_without(fsdd_files(), "/3_"))]),
        (fsdd, [tar_bytes(fsdd_files() | {"x/recordings/1_a_0.wav": wav_bytes(tone(9))[:99]})]),
    ],
)  # fmt: skip
def test_incomplete_archives(module: ModuleType, bodies: list[bytes], tmp_path: Path) -> None:
    with pytest.raises(TaskError, match="is not the"):
        module.read_archives(_write(tmp_path, bodies))


def test_labels_that_do_not_fit_their_images(tmp_path: Path) -> None:
    images, labels, *test = mnist_files()
    for other in (idx_bytes(np.arange(10)), idx_bytes(np.full(20, 11))):
        with pytest.raises(TaskError, match="is not a file of MNIST"):
            mnist.MNIST.read(_write(tmp_path, [images, other, *test]), None)
    with pytest.raises(ValueError, match="out of range"):
        read_labels(labels, 1, 10)


@given(st.binary(max_size=40), st.integers(1, 3))
def test_idx_bytes_never_crash(raw: bytes, dimensions: int) -> None:
    header = bytes((0, 0, 8, dimensions)) + struct.pack(">I", 2**31) * dimensions
    for body in (raw, idx_bytes(np.zeros(3))[:10] + raw, header + raw):
        with pytest.raises(DAMAGE):
            read_idx(body, dimensions)


def test_every_download_is_pinned() -> None:
    saved = set()
    for task in KNOWN.values():
        if task.supply != "download":
            continue
        for archive in published(task.name).archives:
            assert archive.task == task.name
            assert len(archive.digest) == {"sha256": 64, "md5": 32}[archive.algorithm]
            assert int(archive.digest, 16) and archive.size_bytes > 0
            assert archive.name not in saved
            saved.add(archive.name)
    assert len(saved) == 15


def test_the_page_about_tasks_names_all_sources() -> None:
    page = (Path(__file__).parents[2] / "docs" / "tasks.md").read_text()
    for task in KNOWN.values():
        assert f"| `{task.name}` |" in page
        if task.supply == "download":
            source = published(task.name)
            assert f"| {source.megabytes:,} MB |" in page
            for archive in source.archives:
                assert f"<{archive.url}>" in page or f"<{archive.url.rpartition('/')[0]}/>" in page
