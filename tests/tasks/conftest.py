"""Caches, data folders and small sets for the tests of tasks."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from local_server import Publisher, Shelf, serve
from small_sets import Maker, write_folder, write_zip

from rbnn.tasks.download import Remote

_DATA = os.environ.get("RBNN_DATA")


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test reads or writes the user's cache, or finds the user's data sets."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("RBNN_CACHE", str(folder))
    monkeypatch.delenv("RBNN_DATA", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return folder


@pytest.fixture
def user_data() -> Path:
    """The folder that RBNN_DATA names, for tests on real data."""
    if not _DATA:
        pytest.skip("RBNN_DATA is not set; it names the folder of the real data sets")
    return Path(_DATA).expanduser()


@pytest.fixture
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache for all tests that need the task ``words``, so that it is synthesised once."""
    return tmp_path_factory.getbasetemp() / "shared-cache"


@pytest.fixture(params=["folder", "zip"])
def make_set(request: pytest.FixtureRequest, tmp_path: Path) -> Maker:
    """Writes files as a folder and, in a second run of the test, as a zip."""
    if request.param == "folder":
        return lambda files: write_folder(tmp_path / "set", files)
    return lambda files: write_zip(tmp_path / "set.zip", files)


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    with serve() as running:
        yield running


@pytest.fixture
def publish(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> Publisher:
    def replace(module: ModuleType, attribute: str, bodies: list[bytes]) -> None:
        official = getattr(module, attribute)
        remotes = []
        for archive, body in zip(official.archives, bodies, strict=True):
            shelf.files[f"/{archive.name}"] = body
            digest = hashlib.sha256(body).hexdigest()
            url = f"{shelf.url}/{archive.name}"
            remotes.append(Remote(url, "sha256", digest, archive.task, len(body)))
        changed = dataclasses.replace(official, archives=tuple(remotes))
        monkeypatch.setattr(module, attribute, changed)

    return replace
