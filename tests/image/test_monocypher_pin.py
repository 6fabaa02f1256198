"""Monocypher's files are the pinned ones or none."""

from __future__ import annotations

import hashlib
import io
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest

from rbnn import monocypher
from rbnn.errors import RbnnError


def archive_of(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(f"pymonocypher/{name}")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return path


def test_the_unpacked_files_are_current() -> None:
    monocypher.lay_out(monocypher.folder())
    assert monocypher.is_current(monocypher.folder())
    assert monocypher.lay_out(monocypher.folder()) is False


def test_a_changed_file_is_noticed(tmp_path: Path) -> None:
    assert not monocypher.is_current(tmp_path)
    for name in monocypher.FILES:
        (tmp_path / name).write_bytes((monocypher.folder() / name).read_bytes())
    assert monocypher.is_current(tmp_path)
    with (tmp_path / "monocypher.c").open("ab") as stream:
        stream.write(b"\n")
    assert not monocypher.is_current(tmp_path)


def test_another_archive_is_refused(tmp_path: Path) -> None:
    path = archive_of(tmp_path / "x.tar.gz", {"monocypher.c": b"int x;"})
    with pytest.raises(RbnnError, match="not the pinned"):
        monocypher.extract(path)


def test_other_files_in_the_pinned_archive_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    header = (monocypher.folder() / "monocypher.h").read_bytes()
    path = archive_of(tmp_path / "x.tar.gz", {"monocypher.c": b"int x;", "monocypher.h": header})
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setattr(monocypher, "SDIST_SHA256", digest)
    with pytest.raises(RbnnError, match=r"does not hold the pinned monocypher\.c"):
        monocypher.extract(path)


def test_no_network_is_reported_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        assert "--require-hashes" in command
        return subprocess.CompletedProcess(command, 1, "", "WARNING: x\nERROR: no route to host\n")

    monkeypatch.setattr(monocypher.subprocess, "run", refuse)  # type: ignore[attr-defined]
    with pytest.raises(RbnnError, match="no route to host"):
        monocypher.lay_out(tmp_path / "third_party")
    assert not (tmp_path / "third_party").exists()


def test_the_reason_is_pips_error_and_the_fix_is_a_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    printed = "ERROR: Could not find a version\nERROR: No matching distribution\nhint: see above.\n"

    def refuse(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, 1, "", printed)

    monkeypatch.setattr(monocypher.subprocess, "run", refuse)  # type: ignore[attr-defined]
    with pytest.raises(RbnnError, match=r"No matching distribution\.") as caught:
        monocypher.lay_out(tmp_path / "third_party")
    assert "-m rbnn.monocypher ARCHIVE" in caught.value.fix


@pytest.mark.parametrize(
    "installed, version, isolated",
    [
        ({"pip"}, "", True),
        ({"pip", "setuptools"}, "65.5.0", True),
        ({"pip", "setuptools", "wheel"}, "65.5.0", False),
        ({"pip", "setuptools"}, "80.9.0", False),
    ],
)
def test_pip_reads_metadata_with_what_is_there(
    installed: set[str],
    version: str,
    isolated: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    commands: list[list[str]] = []

    def note(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        commands.append(command)
        return subprocess.CompletedProcess(command, 1, "", "")

    monkeypatch.setattr(monocypher, "_has", lambda name: name in installed)
    monkeypatch.setattr(monocypher.importlib.metadata, "version", lambda name: version)  # type: ignore[attr-defined]
    monkeypatch.setattr(monocypher.subprocess, "run", note)  # type: ignore[attr-defined]
    with pytest.raises(RbnnError):
        monocypher.download(tmp_path)
    assert ("--no-build-isolation" not in commands[0]) == isolated


def test_an_environment_without_pip_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monocypher, "_has", lambda name: name != "pip")
    with pytest.raises(RbnnError, match="has no pip") as caught:
        monocypher.lay_out(tmp_path / "third_party")
    assert "-m ensurepip" in caught.value.fix


def test_a_file_that_was_fetched_elsewhere_is_laid_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {name: (monocypher.folder() / name).read_bytes() for name in monocypher.FILES}
    path = archive_of(tmp_path / "fetched.tar.gz", files)
    monkeypatch.setattr(monocypher.places, "third_party", lambda: tmp_path / "third_party")
    assert monocypher.main([str(path)]) == 1  # not the pinned archive
    monkeypatch.setattr(monocypher, "SDIST_SHA256", hashlib.sha256(path.read_bytes()).hexdigest())
    assert monocypher.main([str(path)]) == 0
    assert monocypher.is_current(tmp_path / "third_party" / "monocypher")
    assert monocypher.main([str(tmp_path / "nothing")]) == 0  # current: nothing is read
