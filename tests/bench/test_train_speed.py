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


def test_bench_train_compares_together_with_alone() -> None:
    small = ["--arch", "vgg", "--width", "8", "--tasks", "2", "--batch", "4", "--rounds", "1"]
    result = CliRunner().invoke(build(), ["bench", "train", *small])
    assert result.exit_code == 0, result.output
    assert "together / alone: " in result.stdout
