"""The cost of training together: what is measured, not how fast this machine is."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from rbnn.bench import train_speed
from rbnn.bench.train_speed import TrainSpeed
from rbnn.cli.main import build


def told(monkeypatch: pytest.MonkeyPatch, found: str, *options: str) -> str:
    """What the command says of figures that it has measured before."""
    figures = TrainSpeed.model_validate_json(found)
    monkeypatch.setattr(train_speed, "bench_train", lambda *_: figures)
    result = CliRunner().invoke(build(), ["bench", "train", *options])
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.usefixtures("eager")
def test_bench_train_reports_the_ratio_and_its_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    small = ["--arch", "vgg", "--width", "8", "--depth", "3", "--tasks", "2", "--batch", "4"]
    small += ["--rounds", "2"]
    result = CliRunner().invoke(build(), ["bench", "train", *small, "--json"])
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["tasks"] == 2 and found["samples"] == 8 and found["rounds"] == 2
    low, high = found["spread"]
    assert 0 < low <= found["ratio"] <= high
    assert found["samples_per_second"] > 0
    assert found["fused"] is None, "8 channels are too few for the fused operations"
    said = told(monkeypatch, result.stdout, *small)
    assert "together / alone: " in said and "fused operations: not used here" in said


def test_bench_train_tells_what_the_fused_operations_gain(monkeypatch: pytest.MonkeyPatch) -> None:
    small = ["--arch", "vgg", "--width", "16", "--depth", "3", "--tasks", "2", "--batch", "4"]
    small += ["--rounds", "2"]
    options = [*small, "--precision", "bfloat16"]
    result = CliRunner().invoke(build(), ["bench", "train", *options, "--json"])
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    low, high = found["fused"]["spread"]
    assert 0 < low <= found["fused"]["ratio"] <= high
    assert found["fused"]["unfused_samples_per_second"] > 0
    assert "fused / unfused" in told(monkeypatch, result.stdout, *options)


@pytest.mark.usefixtures("eager")
def test_one_round_is_enough() -> None:
    small = ["--arch", "vgg", "--width", "8", "--depth", "3", "--tasks", "2", "--batch", "4"]
    result = CliRunner().invoke(build(), ["bench", "train", *small, "--rounds", "1", "--json"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["rounds"] == 1
