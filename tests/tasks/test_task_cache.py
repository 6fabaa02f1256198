"""What is kept between runs, and the ``rbnn tasks`` command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from small_sets import picture_bytes, small_files, write_folder, write_zip
from typer.testing import CliRunner

from rbnn.cli.tasks import register
from rbnn.errors import RbnnError
from rbnn.places import cache_folder
from rbnn.tasks import KNOWN, TaskError, files
from rbnn.tasks.load import load


def _refuse(*_: object) -> None:
    raise AssertionError("the set was read again")


@pytest.mark.parametrize("zipped", [True, False])
def test_a_set_is_decoded_once(
    zipped: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if zipped:
        path = write_zip(tmp_path / "s.zip", small_files())
    else:
        path = write_folder(tmp_path / "s", small_files())
    first = load(f"mine={path}")
    monkeypatch.setattr(files, "decode", _refuse)
    again = load(f"other={path}")
    assert again.name == "other"
    assert again.fingerprint == first.fingerprint


def test_changed_files_are_read_again(tmp_path: Path) -> None:
    root = write_folder(tmp_path / "s", small_files())
    first = load(f"mine={root}")
    picture = root / "train" / "ants" / "0.png"
    picture.write_bytes(small_files("grey")["train/bees/1.png"])
    os.utime(picture, ns=(1, 1))
    assert load(f"mine={root}").fingerprint != first.fingerprint


def test_files_exchanged_under_the_same_sizes_and_times_are_read_again(tmp_path: Path) -> None:
    plain = np.random.default_rng(0).integers(0, 256, (2, 32, 32), dtype=np.uint8)
    raws = [picture_bytes(pixels) for pixels in plain]
    size = max(map(len, raws))
    raws = [raw + bytes(size - len(raw)) for raw in raws]
    names = [f"train/{label}/2.png" for label in ("ants", "bees")]
    root = write_folder(tmp_path / "s", small_files() | dict(zip(names, raws, strict=True)))
    for path in root.rglob("*"):
        os.utime(path, (10**9, 10**9))
    first = load(f"mine={root}")
    for name, raw in zip(names, reversed(raws), strict=True):
        (root / name).write_bytes(raw)
    for path in root.rglob("*"):
        os.utime(path, (10**9, 10**9))
    again = load(f"mine={root}")
    assert again.fingerprint != first.fingerprint
    assert np.array_equal(again.train.images[[2, 5]], first.train.images[[5, 2]])


@pytest.mark.parametrize("zipped", [True, False])
def test_a_set_that_changes_while_it_is_read_is_not_kept(
    zipped: bool, tmp_path: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if zipped:
        path = changed = write_zip(tmp_path / "s.zip", small_files())
    else:
        path = write_folder(tmp_path / "s", small_files())
        changed = path / "test" / "bees" / "0.png"
    decode = files.decode

    def slow(*arguments: Any) -> Any:
        if "test/bees" in arguments[1]:
            with changed.open("ab") as stream:
                stream.write(b"\0")
        return decode(*arguments)

    monkeypatch.setattr(files, "decode", slow)
    with pytest.raises(TaskError, match="changed while they were read"):
        load(f"mine={path}")
    assert not list(own_cache.rglob("*.npz"))


def test_a_damaged_cache_entry_is_replaced(tmp_path: Path, own_cache: Path) -> None:
    root = write_folder(tmp_path / "s", small_files())
    first = load(f"mine={root}")
    (entry,) = (own_cache / "decoded").iterdir()
    whole = entry.read_bytes()
    for damaged in (b"", b"rubbish", whole[:-400], whole[:300] + bytes(300) + whole[600:]):
        entry.write_bytes(damaged)
        assert load(f"mine={root}").fingerprint == first.fingerprint
        assert entry.read_bytes() == whole


def test_cached_data_are_private(tmp_path: Path, own_cache: Path) -> None:
    load(f"mine={write_folder(tmp_path / 'set', small_files())}")
    entries = [path for path in own_cache.rglob("*") if path.is_file()]
    assert entries and {path.stat().st_mode & 0o777 for path in entries} == {0o600}


def test_an_unwritable_cache(tmp_path: Path) -> None:
    root = write_folder(tmp_path / "s", small_files())
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RbnnError, match="Cannot write"):
        load(f"mine={root}", cache=tmp_path / "file")


def test_the_location_of_the_cache(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cache_folder() == own_cache
    monkeypatch.delenv("RBNN_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert cache_folder() == Path("/somewhere/rbnn")


@pytest.fixture
def app() -> typer.Typer:
    made = typer.Typer()
    register(made)
    return made


def test_the_list_of_tasks(app: typer.Typer) -> None:
    result = CliRunner().invoke(app, ["--json"])
    assert result.exit_code == 0
    rows = {row["name"]: row for row in json.loads(result.stdout)["tasks"]}
    assert list(rows) == list(KNOWN)
    assert rows["digits"]["ready"] is True
    assert rows["cifar"]["ready"] is False
    assert "https://www.cs.toronto.edu" in rows["cifar"]["where"]
    assert "31 MB" in rows["fashion"]["where"]
    assert "RBNN_DATA" in rows["scenes"]["where"]
    table = CliRunner().invoke(app, [])
    assert table.exit_code == 0
    assert all(name in table.stdout for name in KNOWN)


def test_the_list_shows_what_rbnn_data_has(
    app: typer.Typer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_zip(tmp_path / "gtsrb.zip", small_files())
    monkeypatch.setenv("RBNN_DATA", str(tmp_path))
    rows = json.loads(CliRunner().invoke(app, ["--json"]).stdout)["tasks"]
    (gtsrb,) = (row for row in rows if row["name"] == "gtsrb")
    assert gtsrb["ready"] is True
    assert gtsrb["where"] == str(path)
    monkeypatch.setenv("RBNN_DATA", str(tmp_path / "gone"))
    rows = json.loads(CliRunner().invoke(app, ["--json"]).stdout)["tasks"]
    assert "not a folder" in rows[2]["where"]


def test_named_tasks_are_loaded_and_counted(app: typer.Typer, tmp_path: Path) -> None:
    root = write_folder(tmp_path / "s", small_files())
    arguments = ["digits", f"mine={root}"]
    result = CliRunner().invoke(app, [*arguments, "--json"])
    digits, mine = json.loads(result.stdout)["tasks"]
    assert (digits["train"], digits["test"], len(digits["classes"])) == (1438, 359, 10)
    assert mine["classes"][0] == {"label": "ants", "train": 2, "test": 1}
    assert mine["source"] == f"mine={root}"
    assert mine["fingerprint"] == load(f"mine={root}").fingerprint
    table = CliRunner().invoke(app, arguments)
    assert "; ants, bees; " in table.stdout


def test_an_unknown_name_is_an_error(app: typer.Typer) -> None:
    result = CliRunner().invoke(app, ["nonesuch"])
    assert isinstance(result.exception, TaskError)
    assert result.stdout == ""


def test_names_that_the_terminal_cannot_show_are_escaped(tmp_path: Path) -> None:
    files = {name.replace("ants", "Ämter"): raw for name, raw in small_files().items()}
    root = write_folder(tmp_path / "s", files)
    done = subprocess.run(
        [sys.executable, "-m", "rbnn.cli.main", "tasks", f"mine={root}"],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert done.returncode == 0, done.stderr
    assert rb"; bees, \xc4mter; " in done.stdout
