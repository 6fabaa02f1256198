"""Where tests of tasks keep their caches and find the shared data sets."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from local_server import Shelf, serve
from small_sets import Maker, write_folder, write_zip

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test reads or writes the user's cache, or finds the user's data sets."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("RBNN_CACHE", str(folder))
    monkeypatch.delenv("RBNN_DATA", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return folder


_SHARED = Path(os.environ.get("RBNN_DATA") or REPOSITORY.parent / "shared" / "data")


@pytest.fixture
def shared_data() -> Path:
    if not (_SHARED / "cifar10.zip").is_file():
        pytest.skip(f"no shared data in {_SHARED}: set RBNN_DATA")
    return _SHARED


@pytest.fixture
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache for all tests that speak the words, so that they are spoken once."""
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
