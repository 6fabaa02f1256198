"""CIFAR-10 and Speech Commands, from small archives in the official layout to tensors."""

from __future__ import annotations

import dataclasses
import pickle
from pathlib import Path

import numpy as np
import pytest
from local_server import Publisher, Shelf
from small_archives import CIFAR_CLASSES, cifar_files, speech_files, tar_bytes
from small_sets import small_files, write_folder, write_zip

from rbnn.tasks import KNOWN, TaskError
from rbnn.tasks.download import Remote
from rbnn.tasks.load import load
from rbnn.tasks.sets import cifar, speech_commands
from rbnn.tasks.sources import find_local


def test_cifar_from_download_to_tensors(shelf: Shelf, publish: Publisher) -> None:
    publish(cifar, "SET", [tar_bytes(cifar_files())])
    data = load("cifar")
    assert data.labels == tuple(name.decode() for name in CIFAR_CLASSES)
    assert data.train.images.shape == (15, 32, 32, 3)
    assert data.train.images[:, 5, 5, 0].tolist() == list(range(15))
    assert not data.train.images[..., 1:].any()
    assert data.test.images[:, 0, 0, 0].tolist() == [15, 16, 17]
    assert data.test.labels.tolist() == [0, 1, 2]
    assert data.source == "cifar"
    again = load("cifar10")
    assert again.fingerprint == data.fingerprint
    assert len(shelf.asked) == 1


def test_speech_commands_from_download_to_tensors(shelf: Shelf, publish: Publisher) -> None:
    publish(speech_commands, "SET", [tar_bytes(speech_files())])
    data = load("kws")
    assert data.kind == KNOWN["kws"].kind == "audio"
    assert data.labels[:3] == ("_silence_", "_unknown_", "down")
    assert list(data.labels) == sorted(data.labels)
    assert np.bincount(data.train.labels).tolist() == [3] * 12
    assert np.bincount(data.test.labels).tolist() == [2] * 12
    assert data.train.channels == 1
    assert load("kws").fingerprint == data.fingerprint
    assert len(shelf.asked) == 1


def test_speech_commands_splits_by_the_lists(tmp_path: Path) -> None:
    path = tmp_path / "a.tar.gz"
    files = speech_files()
    # Silence every validation clip: one of them in a split would show as an all-black image.
    listed = files["./validation_list.txt"].decode().split()
    for name in listed:
        raw = bytearray(files[f"./{name}"])
        raw[-32_000:] = bytes(32_000)
        files[f"./{name}"] = bytes(raw)
    path.write_bytes(tar_bytes(files))
    decoded = speech_commands.read_archives([path])
    for split in (decoded.train, decoded.test):
        assert split.images.reshape(len(split), -1).any(axis=1).all()  # no image is all black
    train = {image.tobytes() for image in decoded.train.images}
    assert not train & {image.tobytes() for image in decoded.test.images}


@pytest.mark.parametrize(
    "dropped", ["testing_list.txt", "validation_list.txt", "_background_noise_", "/yes/"]
)
def test_an_incomplete_speech_archive(dropped: str, tmp_path: Path) -> None:
    files = {name: raw for name, raw in speech_files().items() if dropped not in name}
    path = tmp_path / "a.tar.gz"
    path.write_bytes(tar_bytes(files))
    with pytest.raises(TaskError, match="not the Speech Commands archive"):
        speech_commands.read_archives([path])


def test_a_damaged_clip_in_the_speech_archive_is_named(tmp_path: Path) -> None:
    files = speech_files()
    name = next(iter(files))
    files[name] = files[name][:1000]
    path = tmp_path / "a.tar.gz"
    path.write_bytes(tar_bytes(files))
    with pytest.raises(TaskError, match=r"down/00000000_nohash_0\.wav is cut off"):
        speech_commands.read_archives([path])


class _Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Path.touch, ("never",)


@pytest.mark.parametrize("raw", [pickle.dumps(_Evil()), b"rubbish", pickle.dumps([1]), b""])
def test_an_unusable_cifar_archive_runs_nothing(raw: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.tar.gz"
    files = cifar_files()
    files["cifar-10-batches-py/data_batch_3"] = raw
    path.write_bytes(tar_bytes(files))
    with pytest.raises(TaskError, match="not the CIFAR-10 archive"):
        cifar.read_archives([path])


@pytest.mark.parametrize("module", [cifar, speech_commands])
def test_a_truncated_archive(module: object, tmp_path: Path) -> None:
    for number, raw in enumerate((b"", b"rubbish", tar_bytes(cifar_files())[:-300])):
        path = tmp_path / f"{number}.tar.gz"
        path.write_bytes(raw)
        with pytest.raises(TaskError, match="archive"):
            module.read_archives([path])  # type: ignore[attr-defined]


def test_no_network_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    remote = Remote("http://127.0.0.1:9/cifar-10-python.tar.gz", "md5", "0" * 32, "cifar")
    monkeypatch.setattr(cifar, "SET", dataclasses.replace(cifar.SET, archives=(remote,)))
    with pytest.raises(TaskError) as caught:
        load("cifar")
    assert "no connection" in caught.value.what
    assert "RBNN_DATA" in caught.value.fix


@pytest.mark.parametrize("stem", ["cifar10", "cifar"])
@pytest.mark.parametrize("zipped", [True, False])
def test_rbnn_data_takes_precedence(
    stem: str, zipped: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if zipped:
        path = write_zip(tmp_path / f"{stem}.zip", small_files())
    else:
        path = write_folder(tmp_path / stem, small_files())
    monkeypatch.setenv("RBNN_DATA", str(tmp_path))
    data = load("cifar")
    assert data.labels == ("ants", "bees")
    assert data.source == f"cifar={path}"
    monkeypatch.delenv("RBNN_DATA")
    assert load(data.source).fingerprint == data.fingerprint


def test_a_set_that_only_rbnn_data_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TaskError, match="only read from RBNN_DATA, which is not set"):
        load("scenes")
    monkeypatch.setenv("RBNN_DATA", str(tmp_path))
    with pytest.raises(TaskError, match="does not contain it") as caught:
        load("scenes")
    assert str(tmp_path) in caught.value.what
    assert "scenes.zip" in caught.value.fix and "scenes=path" in caught.value.fix
    monkeypatch.setenv("RBNN_DATA", str(tmp_path / "gone"))
    with pytest.raises(TaskError, match="not a folder"):
        load("scenes")


@pytest.mark.parametrize(
    ("name", "classes", "channels"),
    [
        ("cifar", 10, 3),
        ("kws", 12, 1),
        ("gtsrb", 43, 3),
        ("scenes", 6, 3),
        ("fashion", 10, 1),
        ("mnist", 10, 1),
        ("emnist", 26, 1),
        ("fsdd", 10, 1),
    ],
)
def test_real_sets(
    name: str, classes: int, channels: int, user_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RBNN_DATA", str(user_data))
    if find_local(KNOWN[name]) is None:
        pytest.skip(f"{user_data}, the folder that RBNN_DATA names, has no {name}")
    data = load(name)
    assert (len(data.labels), data.channels) == (classes, channels)
    for split in (data.train, data.test):
        assert set(split.labels.tolist()) == set(range(classes))
