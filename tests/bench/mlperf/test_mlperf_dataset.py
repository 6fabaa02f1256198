"""``rbnn bench mlperf-data``: what the runner can read, and what it could not make sense of."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from runner_client import read_dataset
from typer.testing import CliRunner

from rbnn.bench.mlperf.dataset import check_dataset, write_dataset
from rbnn.cli.main import build
from rbnn.errors import RbnnError
from rbnn.spec.link import Benchmark
from rbnn.tasks.load import load


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A task of the user's own with three classes of two pictures each."""
    monkeypatch.setenv("RBNN_CACHE", str(tmp_path / "cache"))
    rng = np.random.default_rng(4)
    for split in ("train", "test"):
        for label in ("a", "b", "c"):
            folder = tmp_path / "own" / split / label
            folder.mkdir(parents=True)
            for number in range(2):
                pixels = rng.integers(0, 256, (32, 32, 3), np.uint8)
                Image.fromarray(pixels).save(folder / f"{number}.png")
    return tmp_path / "own"


def data(*arguments: str) -> Any:
    return CliRunner().invoke(build(), ["bench", "mlperf-data", *arguments])


def test_the_runner_reads_what_the_test_set_holds(own: Path, tmp_path: Path) -> None:
    out = tmp_path / "data"
    done = data(
        *("--tasks", f"mine={own}", "--benchmark", "mine=ic01", "--out", str(out), "--json")
    )
    assert done.exit_code == 0, done.output
    (written,) = json.loads(done.stdout)["datasets"]
    assert (written["benchmark"], written["samples"], written["classes"]) == ("ic01", 6, 3)
    test = load(f"mine={own}").test
    found = read_dataset(out / "ic01")
    assert [sample for sample, _, _ in found] == [image.tobytes() for image in test.images]
    assert [label for _, _, label in found] == test.labels.tolist()
    assert {classes for _, classes, _ in found} == {3}
    check_dataset(out, "ic01", 32 * 32 * 3)


def test_the_choice_is_the_same_in_every_run(own: Path, tmp_path: Path) -> None:
    task = load(f"mine={own}")
    for name in ("one", "two"):
        write_dataset(tmp_path / name, task, Benchmark.KWS01, 5)
    one, two = (read_dataset(tmp_path / name / "kws01") for name in ("one", "two"))
    assert one == two and len(one) == 5


def test_a_class_without_a_sample_is_named(own: Path, tmp_path: Path) -> None:
    with pytest.raises(RbnnError, match=r"The 2 samples of task mine have none of class '[abc]'"):
        write_dataset(tmp_path / "data", load(f"mine={own}"), Benchmark.IC01, 2)
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--tasks", "fashion"), "Which benchmark task fashion stands for is not known"),
        (("--tasks", "cifar", "--benchmark", "cifar=none"), "task cifar stands for is not known"),
        (
            ("--tasks", "cifar,gtsrb", "--benchmark", "gtsrb=ic01"),
            "The tasks cifar and gtsrb both stand for ic01",
        ),
        (("--benchmark", "mine=ic01"), "--benchmark names 'mine', which --tasks does not"),
        (("--benchmark", "cifar=ic99"), "--benchmark cifar must be one of none, ic01, kws01"),
        (("--benchmark", "cifar"), "--benchmark must be TASK=NAME"),
    ],
)
def test_what_no_data_set_can_be_is_refused_before_loading(
    tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    done = data(*arguments, "--out", str(tmp_path / "data"))
    assert isinstance(done.exception, RbnnError)
    assert said in done.exception.what
    assert not (tmp_path / "data").exists()


def test_samples_that_the_board_would_refuse_are_named(own: Path, tmp_path: Path) -> None:
    out = tmp_path / "data"
    with pytest.raises(RbnnError, match=r"Cannot read .*y_labels\.csv"):
        check_dataset(out, "ic01", 3072)
    write_dataset(out, load(f"mine={own}"), Benchmark.IC01, 0)
    with pytest.raises(RbnnError, match=r"has 3,072 bytes; .* takes 1,024 bytes"):
        check_dataset(out, "ic01", 1024)
    (out / "ic01" / "mine-00003.bin").unlink()
    with pytest.raises(RbnnError, match=r"mine-00003\.bin is missing"):
        check_dataset(out, "ic01", 3072)
    (out / "ic01" / "y_labels.csv").write_text("one.bin;3;0\n")
    with pytest.raises(RbnnError, match="Line 1 of"):
        check_dataset(out, "ic01", 3072)
    (out / "ic01" / "y_labels.csv").write_text("")
    with pytest.raises(RbnnError, match="lists no sample"):
        check_dataset(out, "ic01", 3072)
