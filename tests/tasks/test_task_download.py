"""Downloads: complete, resumed, broken, wrong, absent."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import socket
from pathlib import Path

import pytest
from local_server import Shelf

from rbnn.tasks import TaskError
from rbnn.tasks.download import Remote, fetch

BODY = bytes(range(256)) * 12_000


def _remote(shelf: Shelf, body: bytes = BODY) -> Remote:
    return Remote(f"{shelf.url}/set.tar.gz", "md5", hashlib.md5(body).hexdigest(), "cifar")


def test_a_download_is_checked_named_and_kept(shelf: Shelf, tmp_path: Path) -> None:
    shelf.files["/set.tar.gz"] = BODY
    steps: list[tuple[str, int, int]] = []
    path = fetch(_remote(shelf), tmp_path / "new", lambda *step: steps.append(step))
    assert path == tmp_path / "new" / "set.tar.gz"
    assert path.read_bytes() == BODY
    assert steps[-1] == ("downloading set.tar.gz", len(BODY), len(BODY))
    assert [step[1] for step in steps] == sorted(step[1] for step in steps)
    assert os.listdir(tmp_path / "new") == ["set.tar.gz"]
    assert fetch(_remote(shelf), tmp_path / "new") == path
    assert len(shelf.asked) == 1


def test_a_broken_download_continues_where_it_stopped(shelf: Shelf, tmp_path: Path) -> None:
    shelf.files["/set.tar.gz"] = BODY
    shelf.cut_after = 1_500_000
    with pytest.raises(TaskError) as caught:
        fetch(_remote(shelf), tmp_path)
    assert "broke off" in caught.value.what
    assert "again" in caught.value.fix
    assert not (tmp_path / "set.tar.gz").exists()
    have = (tmp_path / "set.tar.gz.part").stat().st_size
    assert 0 < have <= 1_500_000
    assert fetch(_remote(shelf), tmp_path).read_bytes() == BODY
    assert shelf.asked[-1] == ("/set.tar.gz", f"bytes={have}-")
    assert not (tmp_path / "set.tar.gz.part").exists()


def test_a_server_without_ranges_sends_everything_again(shelf: Shelf, tmp_path: Path) -> None:
    shelf.files["/set.tar.gz"] = BODY
    shelf.ranges = False
    (tmp_path / "set.tar.gz.part").write_bytes(BODY[:1000])
    assert fetch(_remote(shelf), tmp_path).read_bytes() == BODY


def test_a_complete_part_is_only_renamed(shelf: Shelf, tmp_path: Path) -> None:
    shelf.files["/set.tar.gz"] = BODY
    (tmp_path / "set.tar.gz.part").write_bytes(BODY)
    assert fetch(_remote(shelf), tmp_path).read_bytes() == BODY


@pytest.mark.parametrize("part", [b"", b"something else", BODY + b"more"])
def test_a_wrong_checksum_leaves_nothing(shelf: Shelf, tmp_path: Path, part: bytes) -> None:
    shelf.files["/set.tar.gz"] = BODY
    remote = _remote(shelf, b"another file")
    if part:
        (tmp_path / "set.tar.gz.part").write_bytes(part)
    with pytest.raises(TaskError) as caught:
        fetch(remote, tmp_path)
    assert "not the published file" in caught.value.what
    assert remote.digest in caught.value.what
    assert os.listdir(tmp_path) == []


def test_a_file_of_another_length_is_not_downloaded(shelf: Shelf, tmp_path: Path) -> None:
    shelf.files["/set.tar.gz"] = b"<html>log in to this network</html>"
    remote = dataclasses.replace(_remote(shelf), size_bytes=len(BODY))
    with pytest.raises(TaskError, match=f"35 bytes, not {len(BODY)}"):
        fetch(remote, tmp_path)
    assert os.listdir(tmp_path) == []


def test_another_range_than_requested(shelf: Shelf, tmp_path: Path) -> None:
    shelf.files["/set.tar.gz"] = BODY
    shelf.wrong_range = True
    (tmp_path / "set.tar.gz.part").write_bytes(BODY[:1000])
    with pytest.raises(TaskError, match="another range"):
        fetch(_remote(shelf), tmp_path)
    assert (tmp_path / "set.tar.gz.part").read_bytes() == BODY[:1000]


def test_a_damaged_file_is_fetched_again(shelf: Shelf, tmp_path: Path) -> None:
    shelf.files["/set.tar.gz"] = BODY
    (tmp_path / "set.tar.gz").write_bytes(BODY[:-1])
    assert fetch(_remote(shelf), tmp_path).read_bytes() == BODY


def test_not_found(shelf: Shelf, tmp_path: Path) -> None:
    with pytest.raises(TaskError) as caught:
        fetch(_remote(shelf), tmp_path)
    assert "404" in caught.value.what
    assert "RBNN_DATA" in caught.value.fix
    assert os.listdir(tmp_path) == []


def test_no_network_names_the_alternatives(tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    with pytest.raises(TaskError) as caught:
        fetch(Remote(f"http://127.0.0.1:{port}/set.tar.gz", "md5", "0" * 32, "cifar"), tmp_path)
    assert "no connection" in caught.value.what
    assert "task cifar" in caught.value.what
    assert str(tmp_path) in caught.value.fix
    assert "RBNN_DATA" in caught.value.fix


def test_a_folder_that_cannot_be_written(shelf: Shelf, tmp_path: Path) -> None:
    shelf.files["/set.tar.gz"] = BODY
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(TaskError) as caught:
        fetch(_remote(shelf), tmp_path / "file")
    assert "Cannot write" in caught.value.what
    assert "RBNN_CACHE" in caught.value.fix


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_full_disk(shelf: Shelf, tmp_path: Path) -> None:
    shelf.files["/set.tar.gz"] = BODY
    (tmp_path / "set.tar.gz.part").symlink_to("/dev/full")
    with pytest.raises(TaskError) as caught:
        fetch(_remote(shelf), tmp_path)
    assert "No space left" in caught.value.what
    assert "Free some space" in caught.value.fix
    assert not (tmp_path / "set.tar.gz").exists()
