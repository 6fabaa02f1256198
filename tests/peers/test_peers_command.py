"""``rbnn bench peers`` on two tiny tasks: it trains, stops, continues, and says who wins."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from rbnn.cli.main import build
from rbnn.errors import RbnnError
from rbnn.peers.measured import read_measured
from rbnn.peers.plan import PeerSettings, make_plan
from rbnn.peers.quantize import Int8Network
from rbnn.runs.run import Run
from rbnn.tasks import TaskData


def bench(run: Run, out: Path, *options: str) -> Result:
    words = ["bench", "peers", str(run.folder), "--out", str(out), *options]
    return CliRunner().invoke(build(), words)


@pytest.mark.slow
@pytest.mark.usefixtures("known", "small")
def test_it_trains_every_network_and_says_who_wins(
    trained: Run, tmp_path: Path, data: Sequence[TaskData]
) -> None:
    out = tmp_path / "out"
    done = bench(trained, out, "--steps", "2", "--rates", "0.01", "--binary", "--json")
    assert done.exit_code == 0, done.exception
    document = json.loads(done.stdout)
    assert document["missing"] == []
    rows = {row["row"]: row for row in document["rows"]}
    assert list(rows) == ["shared", "binary", "int8", "trunk", "published"]
    flash = rows["shared"]["flash"]
    for name in ("binary", "int8", "trunk"):
        assert 0 < rows[name]["flash"] <= flash, name
    assert rows["published"]["networks"] == 2
    for row in rows.values():
        assert set(row["accuracies"]) == {"colour", "sound"}
        assert row["mean"] == pytest.approx(np.mean(list(row["accuracies"].values())))
        assert row["ram"] > 0 and row["instructions"] > 0
    assert rows["shared"]["gap"] is None and rows["int8"]["gap"] is not None

    # What is in the table is what the interpreter computes from the file that is there.
    content = (out / "published" / "colour" / "network.tflite").read_bytes()
    found = Int8Network(content).predict(data[0].test.images)
    share = float(np.mean(found == data[0].test.labels))
    assert rows["published"]["accuracies"]["colour"] == pytest.approx(share)

    page = (out / "peers.md").read_text()
    best = max(("binary", "int8", "trunk"), key=lambda name: rows[name]["mean"])
    first = page.splitlines()[0]
    low, high = (rows[best]["gap"][side] for side in ("low", "high"))
    if low > 0:
        assert first.startswith("# ") and "win" in first and "shared" not in first
    else:
        assert ("shared binary set wins" if high < 0 else "No difference") in first
    assert (out / "peers.svg").stat().st_size > 1000

    # A second call computes nothing again; other settings are refused; --resume needs none.
    again = bench(trained, out, "--resume")
    assert again.exit_code == 0 and "Network" not in again.stderr
    other = bench(trained, out, "--steps", "3")
    assert "holds another comparison: its steps is 2, here it is 3" in str(other.exception)
    assert "--tasks cannot be combined with --resume" in str(
        bench(trained, out, "--resume", "--tasks", "sound").exception
    )


@pytest.mark.usefixtures("known")
def test_a_stopped_command_succeeds_and_says_how_to_continue(
    trained: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rbnn.train.interrupt.parse_until", lambda text: datetime.now())
    done = bench(trained, tmp_path / "out", "--until", "07:00", "--json")
    assert done.exit_code == 0, done.exception
    assert json.loads(done.stdout)["continue"].endswith("--resume")
    assert "before network 1 of" in done.stderr
    page = (tmp_path / "out" / "peers.md").read_text()
    assert page.startswith("# Peers: not measured yet")
    assert "Unfinished: 5 networks are still to be trained." in page
    # The shared set is measured already, in the device's integers.
    found = read_measured(tmp_path / "out" / "shared")
    assert found is not None and {task.name for task in found.tasks} == {"colour", "sound"}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--tasks", "smell"], "has no task 'smell'"),
        (["--steps", "0"], "--steps must be 1 or more"),
        (["--samples", "0"], "--samples must be 1 or more"),
        (["--steps", "1", "--samples", "1"], "cannot be combined"),
        (["--rates", "0"], "--rates takes numbers above 0"),
        (["--rates", "fast"], "--rates takes numbers above 0"),
        (["--resume"], "holds no comparison to resume"),
        (["--until", "noon"], "--until must be a time of day"),
    ],
)
def test_bad_options_are_refused_before_anything_is_written(
    trained: Run, tmp_path: Path, options: list[str], said: str
) -> None:
    done = bench(trained, tmp_path / "out", *options)
    assert isinstance(done.exception, RbnnError)
    assert said in str(done.exception)
    assert not (tmp_path / "out").exists()


def test_a_run_that_is_not_trained_is_refused(begin: Callable[..., Run], tmp_path: Path) -> None:
    done = bench(begin(), tmp_path / "out")
    assert isinstance(done.exception, RbnnError)
    assert "Cannot read" in str(done.exception)


@pytest.mark.usefixtures("known")
def test_a_folder_with_other_files_is_left_alone(trained: Run, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear")
    done = bench(trained, tmp_path)
    assert "holds other files but no comparison" in str(done.exception)


def test_a_run_that_was_trained_further_is_another_one(trained: Run, tmp_path: Path) -> None:
    run = Run(tmp_path / "run")
    shutil.copytree(trained.folder, run.folder)
    out = tmp_path / "out"
    make_plan(run, PeerSettings(steps=1)).hold(out)
    run.parameters_file.write_bytes(run.parameters_file.read_bytes() + b" ")
    done = bench(run, out, "--resume")
    assert "was trained further since" in str(done.exception)
