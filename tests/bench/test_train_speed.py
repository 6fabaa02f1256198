"""The cost of training together: what is measured, not how fast this machine is."""

from __future__ import annotations

import json

from typer.testing import CliRunner

from rbnn.cli.main import build


def test_bench_train_reports_the_ratio_and_its_parts() -> None:
    small = ["--arch", "vgg", "--width", "8", "--tasks", "2", "--batch", "4", "--rounds", "3"]
    result = CliRunner().invoke(build(), ["bench", "train", *small, "--json"])
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["tasks"] == 2 and found["samples"] == 8 and found["rounds"] == 3
    low, high = found["spread"]
    assert 0 < low <= found["ratio"] <= high
    assert found["samples_per_second"] > 0
    assert found["fused"] is None, "8 channels are too few for the fused operations"


def test_bench_train_tells_what_the_fused_operations_gain() -> None:
    small = ["--arch", "vgg", "--width", "16", "--tasks", "2", "--batch", "4", "--rounds", "3"]
    options = [*small, "--precision", "bfloat16"]
    result = CliRunner().invoke(build(), ["bench", "train", *options, "--json"])
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    low, high = found["fused"]["spread"]
    assert 0 < low <= found["fused"]["ratio"] <= high
    assert found["fused"]["unfused_samples_per_second"] > 0
    result = CliRunner().invoke(build(), ["bench", "train", *options])
    assert "fused / unfused" in result.stdout


def test_bench_train_compares_together_with_alone() -> None:
    small = ["--arch", "vgg", "--width", "8", "--tasks", "2", "--batch", "4", "--rounds", "1"]
    result = CliRunner().invoke(build(), ["bench", "train", *small])
    assert result.exit_code == 0, result.output
    assert "together / alone: " in result.stdout
