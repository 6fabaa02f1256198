"""``rbnn train`` and ``rbnn eval`` as typed, on the embedded digits."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typed import typed, typed_here

from rbnn.errors import ExitCode


def in_its_own_process(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the command line as from a shell."""
    return subprocess.run(
        [sys.executable, "-m", "rbnn.cli.main", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder with one short run in it."""
    where = tmp_path_factory.mktemp("work")
    small = ("--epochs", "1", "--width", "32", "--depth", "3")
    done = in_its_own_process("train", "--tasks", "digits", *small, "--json", cwd=where)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["tasks"][0]["task"] == "digits"
    assert document["tasks"][0]["shared"] > 0.5
    assert (where / document["run"] / "parameters.npz").is_file()
    assert "tensorflow" not in done.stderr.lower()
    return where


def test_eval_takes_the_newest_run_and_prints_one_document(folder: Path) -> None:
    done = typed_here(folder, "eval", "--wrong-secrets", "2", "--json")
    document = json.loads(done.stdout)
    task = document["tasks"][0]
    assert document["engine"] == "keras"
    assert task["samples"] == 359
    assert len(task["wrong_secrets"]["accuracies"]) == 2
    assert done.returncode == (0 if task["wrong_secrets"]["passed"] else ExitCode.CHECK_FAILED)


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (("train",), "Name either tasks to train or a run to resume."),
        (("train", "--tasks", "digits", "--resume", "x"), "x is not a run folder"),
        (("train", "--tasks", "digits", "--until", "25:00"), "--until must be a time of day"),
        (("train", "--resume", "nowhere"), "nowhere is not a run folder"),
        (("train", "--tasks", "digits", "--board", "mars"), "Unknown board 'mars'"),
        (("train", "--tasks", "digit"), "Did you mean digits?"),
        (("train", "--tasks", "digits", "--arch", "alexnet"), "Unknown architecture 'alexnet'"),
        (("train", "--tasks", "digits", "--width", "4"), "--width 8"),
        (("train", "--tasks", "digits", "--arch", "resnet", "--depth", "99"), "--depth 48"),
        (("train", "--tasks", "mine=empty"), "empty"),
        (("train", "--resume", "nowhere", "--epochs", "3"), "--epochs cannot change"),
        (("train", "--resume", "nowhere", "--cipher", "chacha8"), "--cipher cannot change"),
        (("train", "--resume", "nowhere", "--out", "runs"), "--out cannot change"),
        (("train", "--tasks", "digits", "--superpose"), "--superpose works only with --baseline"),
        (("train", "--tasks", "digits", "--distill", "0.5"), "only with --baseline or --teacher."),
        (("train", "--tasks", "digits", "--teacher", "digits=empty"), "digits, empty, is a folder"),
        (("train", "--tasks", "digits", "--teacher", "digits"), "--teacher must be TASK=FILE"),
        (("train", "--tasks", "digits", "--share", "digits=x"), "--share must be NAME=FACTOR"),
        (("eval", "nowhere"), "nowhere is not a run folder"),
        (("eval",), "No trained run in runs"),
    ],
)
def test_refusals_are_two_lines_and_leave_nothing(
    tmp_path: Path, arguments: tuple[str, ...], what: str
) -> None:
    (tmp_path / "empty").mkdir()
    done = typed(tmp_path, *arguments)
    assert done.returncode == 1
    assert done.stdout == ""
    assert what in done.stderr
    assert done.stderr.startswith("error: ")
    assert len(done.stderr.splitlines()) <= 2
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]


def test_the_c_engine_needs_no_export(folder: Path) -> None:
    def measure(engine: str) -> Any:
        done = typed_here(folder, "eval", "--engine", engine, "--wrong-secrets", "2", "--json")
        document = json.loads(done.stdout)
        assert document["engine"] == engine
        assert not (folder / document["run"] / "export").exists()
        return document["tasks"][0]

    keras, c = measure("keras"), measure("c")
    assert c["samples"] == keras["samples"] == 359
    assert c["accuracy"] == pytest.approx(keras["accuracy"], abs=0.01)
    assert len(c["wrong_secrets"]["accuracies"]) == 2
    assert c["wrong_secrets"]["mean"] < 0.3


def write_set(folder: Path, tested: Sequence[int]) -> None:
    """Two classes of noise; pictures 0 to 7 of each are for training."""
    from PIL import Image

    for part, numbers in (("train", range(8)), ("test", tested)):
        for label in ("a", "b"):
            for number in numbers:
                random = np.random.default_rng([ord(label), number])
                picture = Image.fromarray(random.integers(0, 256, (32, 32), np.uint8))
                path = folder / part / label / f"{number}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                picture.save(path)


@pytest.mark.usefixtures("eager")
def test_copies_of_training_samples_in_the_test_set_are_warned_of(tmp_path: Path) -> None:
    write_set(tmp_path / "set", (0, 1, 50))
    done = typed_here(
        tmp_path, *("train", "--tasks", "mine=set", "--steps", "1", "--width", "16", "--json")
    )
    assert done.returncode == 0, done.stderr
    assert "warning: " in done.stderr
    assert "4 of 6 test samples of task mine are training samples too" in done.stderr
    json.loads(done.stdout)


@pytest.mark.usefixtures("eager")
def test_a_network_too_large_for_the_board_is_announced_before_training(tmp_path: Path) -> None:
    write_set(tmp_path / "set", (50,))
    wide = ("--tasks", "mine=set", "--steps", "1", "--batch", "8", "--width", "256", "--depth", "3")
    done = typed_here(tmp_path, "train", *wide, "--board", "nucleo")
    assert done.returncode == 0, done.stderr
    warning = done.stderr.splitlines()[0]
    assert warning.startswith("warning: The model does not fit board nucleo: flash needs about")
    assert "too many" in warning
    following = done.stdout.splitlines()[-1]
    assert following.startswith("Continue with: rbnn flash runs/")
    assert following.endswith("--board nucleo --user-key")


def test_networks_without_a_key_are_deleted_on_request(folder: Path) -> None:
    (run,) = (folder / "runs").iterdir()
    teacher = run / "teachers" / "digits" / "model.h5"
    teacher.parent.mkdir(parents=True)
    teacher.write_bytes(b"a float model")
    done = typed_here(folder, "train", "--resume", str(run), "--json")
    assert done.returncode == 0 and teacher.exists()
    assert "that no key protects" in done.stderr and "--forget-own" in done.stderr
    done = typed_here(folder, "train", "--resume", str(run), "--forget-own", "--json")
    assert done.returncode == 0, done.stderr
    assert f"deleted {run / 'teachers'}" in done.stderr and not teacher.exists()
    assert (run / "parameters.npz").exists()
