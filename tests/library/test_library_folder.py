"""``rbnn export --library``: what it writes, and what it refuses without changing anything."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from life import PROVIDER
from typer.testing import CliRunner

from rbnn.cli.main import build
from rbnn.errors import RbnnError
from rbnn.export.packed import SHIPPED
from rbnn.library import folder as folders
from rbnn.library.errors import LibraryError
from rbnn.library.folder import LIST_FILE
from rbnn.library.names import Names
from rbnn.spec.status import Status


def command(*words: str | Path) -> Any:
    return CliRunner().invoke(build(), ["export", *map(str, words)])


@pytest.fixture(scope="module")
def made(random_export: Callable[..., Any]) -> Any:
    return random_export(provider_public=PROVIDER.public, side=16)


@pytest.fixture
def export(made: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Any]:
    """Call it with options: exports a run whose tasks need no data, for a provider with a key."""
    key = tmp_path / "provider.pem"
    (tmp_path / "provider.pem.pub").write_text(PROVIDER.public.hex() + "\n")

    def load(source: str, **_: object) -> SimpleNamespace:
        return SimpleNamespace(test=SimpleNamespace(images=made.images[source]))

    monkeypatch.setattr("rbnn.export.export.load", load)
    monkeypatch.setattr("rbnn.keys.provider_key.load_provider_public", lambda _: PROVIDER.public)

    def run(*words: str | Path) -> Any:
        return command(
            made.run.folder, "--no-verify", "--out", tmp_path / "out",
            "--provider-key", key, *words,
        )  # fmt: skip

    return run


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_library_is_complete_and_the_next_command_is_printed(
    export: Callable[..., Any], tmp_path: Path
) -> None:
    folder = tmp_path / "my library"
    done = export("--library", folder)
    assert done.exit_code == 0, done.output
    assert f"cmake -S '{folder}' -B build && cmake --build build" in done.output.replace("\n", "")
    found = contents(folder)
    for name in (
        "README.md", "LICENSE", "CMakeLists.txt", "library.json", "library.properties",
        "zephyr/module.yml", "src/rbnn.h", "src/rbnn/monocypher/LICENCE.txt",
        "src/rbnn/model/model_image.c", "examples/bare_metal/main.c",
    ):  # fmt: skip
        assert name in found, name
    listed = json.loads(found[LIST_FILE])["files"]
    assert set(listed) == set(found) - {LIST_FILE}
    for name, data in found.items():
        if name.startswith("examples/"):
            assert data.count(b"\n") < 100, name


def test_no_name_is_left_without_the_prefix(export: Callable[..., Any], tmp_path: Path) -> None:
    done = export("--library", tmp_path / "library", "--prefix", "door")
    assert done.exit_code == 0, done.output
    for name, data in contents(tmp_path / "library").items():
        text = data.decode()
        assert not re.search(r"\b(rbnn|RBNN)_", text), name
        assert not re.search(r"(?<!door_)\bcrypto_\w", text), name
        assert "rbnn.h" not in text, name


def test_the_same_model_gives_the_same_bytes(export: Callable[..., Any], tmp_path: Path) -> None:
    assert export("--library", tmp_path / "a").exit_code == 0
    assert export("--library", tmp_path / "b").exit_code == 0
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_an_earlier_library_is_replaced(export: Callable[..., Any], tmp_path: Path) -> None:
    folder = tmp_path / "library"
    folder.mkdir()
    assert export("--library", folder, "--prefix", "door").exit_code == 0
    assert export("--library", folder, "--json").exit_code == 0
    found = contents(folder)
    assert "src/rbnn.h" in found and "src/door.h" not in found
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("notes.txt", "files that are not the library's: notes.txt"),
        (".git/HEAD", "files that are not the library's: .git/HEAD"),
        ("src/rbnn.h", "changed since rbnn wrote them: src/rbnn.h"),
    ],
)
def test_what_is_not_rbnn_s_is_never_deleted(
    name: str, said: str, export: Callable[..., Any], tmp_path: Path
) -> None:
    folder = tmp_path / "library"
    assert export("--library", folder).exit_code == 0
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text("mine")
    before = contents(folder)
    done = export("--library", folder)
    assert isinstance(done.exception, LibraryError) and said in str(done.exception)
    assert contents(folder) == before


@pytest.mark.parametrize("files", [["mine.c"], ["mine.c", LIST_FILE], [LIST_FILE]])
def test_another_folder_is_refused(
    files: list[str], export: Callable[..., Any], tmp_path: Path
) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    for name in files:
        (folder / name).write_text("mine")
    done = export("--library", folder)
    assert isinstance(done.exception, LibraryError)
    assert "is not empty, and not a library that rbnn wrote" in done.exception.what
    assert all((folder / name).read_text() == "mine" for name in files)
    # Nothing was exported either.
    assert not (tmp_path / "out").exists()


def test_a_file_in_its_place_is_refused(export: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "library").write_text("mine")
    done = export("--library", tmp_path / "library")
    assert isinstance(done.exception, LibraryError) and "is not a folder" in done.exception.what


def test_a_write_that_fails_leaves_the_earlier_library(
    export: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "library"
    assert export("--library", folder).exit_code == 0
    before = contents(folder)
    real, calls = folders.os.rename, []

    def rename(source: Path, target: Path) -> None:
        calls.append(target)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")
        real(source, target)

    monkeypatch.setattr(folders.os, "rename", rename)
    done = export("--library", folder, "--prefix", "door")
    assert isinstance(done.exception, RbnnError) and "No space left" in done.exception.what
    assert contents(folder) == before
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []


def test_a_model_without_a_provider_is_refused(
    export: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rbnn.keys.provider_key.load_provider_public", lambda _: None)
    done = export("--library", tmp_path / "library")
    assert isinstance(done.exception, LibraryError)
    assert "no licence provider" in done.exception.what
    assert "rbnn keys new provider" in done.exception.fix
    assert not (tmp_path / "library").exists() and not (tmp_path / "out").exists()


def test_published_keys_need_to_be_asked_for(tmp_path: Path) -> None:
    folder = tmp_path / "library"
    refused = command(SHIPPED, "--library", folder)
    assert isinstance(refused.exception, RbnnError) and "TEST-ONLY" in refused.exception.what
    assert "--library DIR --test-only" in refused.exception.fix
    assert not folder.exists()
    done = command(SHIPPED, "--library", folder, "--test-only", "--prefix", "seven")
    assert done.exit_code == 0, done.output
    assert "-D SEVEN_ALLOW_TEST_ONLY=ON" in done.output.replace("\n", "")
    config = (folder / "src" / "seven" / "model" / "model_config.h").read_text()
    assert "#ifndef SEVEN_ALLOW_TEST_ONLY\n#error" in config


@pytest.mark.parametrize("words", [("--prefix", "door"), ("--test-only",)])
def test_options_of_a_library_need_one(words: tuple[str, ...]) -> None:
    done = command(*words)
    assert isinstance(done.exception, RbnnError) and "requires --library" in done.exception.what


@pytest.mark.parametrize("prefix", ["", "_", "Door", "9door", "door-", "a__b", "x" * 25, "string"])
def test_a_prefix_that_c_or_cmake_cannot_have(prefix: str, tmp_path: Path) -> None:
    done = command("--library", tmp_path / "library", "--prefix", prefix)
    assert isinstance(done.exception, LibraryError) and done.exception.fix
    assert not (tmp_path / "library").exists()


def test_names_follow_from_the_prefix() -> None:
    names = Names.parse("front_door")
    assert (names.prefix, names.macro, names.package) == (
        "front_door_", "FRONT_DOOR_", "front_door"
    )  # fmt: skip
    text = 'rbnn_start(RBNN_OK); crypto_blake2b(); "rbnn/v1/"; my_rbnn_x; "crypto/wipe.h"'
    assert names.apply(text) == (
        'front_door_start(FRONT_DOOR_OK); front_door_crypto_blake2b(); "rbnn/v1/"; my_rbnn_x; '
        '"crypto/wipe.h"'
    )


def test_every_status_that_the_library_gives_has_its_text(
    export: Callable[..., Any], tmp_path: Path
) -> None:
    assert export("--library", tmp_path / "library").exit_code == 0
    header = (tmp_path / "library" / "src" / "rbnn.h").read_text()
    said = dict(re.findall(r"^  RBNN_(\w+) = (-?\d+),", header, re.M))
    assert all(Status[name].value == int(value) for name, value in said.items())
    assert "%" not in (tmp_path / "library" / "src" / "rbnn_status.c").read_text()
    # What the header promises of any function is in its list.
    assert set(re.findall(r"\bRBNN_(LICENCE_[A-Z]+|PUF_[A-Z]+|NO_[A-Z_]+)\b", header)) - {
        "LICENCE_BYTES"
    } <= set(said)
