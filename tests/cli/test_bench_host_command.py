"""``rbnn bench host`` as typed."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import CliRunner

from rbnn.cli.main import build
from rbnn.report.host_bench import HostBench
from rbnn.report.host_tables import host_table


def test_it_measures_equal_networks_and_prints_one_document(
    random_export: Callable[..., Any],
) -> None:
    run = random_export(architecture="resnet", width=32, depth=2, side=8).run
    arguments = ["bench", "host", "--run", str(run.folder), "--images", "60", "--compared", "20"]
    done = CliRunner().invoke(build(), [*arguments, "--json"])
    assert done.exit_code == 0, done.output
    (network,) = json.loads(done.stdout)["networks"]
    assert network["network"] == "resnet of width 32"
    assert network["compared"] == 20
    assert network["agreement"] > 0.95
    assert min(network[name] for name in ("keras", "c", "c_one_thread", "c_device_kernels")) > 0
    assert network["ratio"] == pytest.approx(network["c"] / network["keras"])


def test_the_table_marks_what_misses_the_goal() -> None:
    one = HostBench(
        network="n", bits=1, macs=10**6, images=1, vectors="AVX2", threads=2, keras_batch=100,
        keras=100, c=1500, c_one_thread=800, c_device_kernels=10, agreement=1, compared=1,
    )  # fmt: skip
    cells = list(host_table([one, one.model_copy(update={"c": 900.0})]).columns)
    assert list(cells[1].cells)[5] == "15.0"
    assert list(cells[2].cells)[5] == "9.0 !"
