"""``rbnn bench host`` as typed."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from rbnn.bench.host import HostBench, Rate
from rbnn.bench.host_tables import host_table
from rbnn.bench.plain_keras import plain_logits
from rbnn.cli.main import build
from rbnn.train.transfer import load_network


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
    assert network["exact_agreement"] > 0.95
    assert network["agreement"] > 0.8  # float32 without rounding
    rates = [
        network[name] for name in ("keras", "keras_exact", "c", "c_one_thread", "c_device_kernels")
    ]
    assert min(rate[kind] for rate in rates for kind in ("clock", "processor")) > 0
    fastest = max(network["keras"]["clock"], network["keras_exact"]["clock"])
    assert network["ratio"] == pytest.approx(network["c"]["clock"] / fastest)


@pytest.mark.parametrize(
    ("architecture", "size"),
    [
        ("vgg", {"width": 8}),
        pytest.param("resnet", {}, marks=pytest.mark.full),
        ("reactnet", {}),
    ],
)
def test_plain_keras_computes_the_network_up_to_rounding(
    random_export: Callable[..., Any], architecture: str, size: dict[str, int]
) -> None:
    run = random_export(architecture=architecture, **size).run
    network = load_network(run)
    task = network.tasks[0]
    shape = (32, *network.topology.input_shape[:2], task.channels)
    images = np.random.default_rng(3).integers(0, 256, shape, dtype=np.uint8)
    plain = plain_logits(network, task)(images).numpy()
    exact = network.models[task.name](images, training=False).numpy()
    assert plain.shape == exact.shape
    assert np.corrcoef(plain.ravel(), exact.ravel())[0, 1] > 0.95
    if architecture == "vgg":  # it has no stream that would be rounded
        assert np.abs(plain - exact).max() < 1e-3 * np.abs(exact).max()


def measured(**changes: Any) -> HostBench:
    """Figures of one network; 15 times faster than Keras."""
    one = HostBench(
        network="n", bits=1, macs=10**6, images=1000, vectors="AVX2", threads=2, keras_batch=100,
        keras=Rate(clock=100, processor=50),
        keras_exact=Rate(clock=60, processor=40), c=Rate(clock=1500, processor=800),
        c_one_thread=Rate(clock=800, processor=800),
        c_device_kernels=Rate(clock=10, processor=10), agreement=1, exact_agreement=1,
        compared=1,
    )  # fmt: skip
    return one.model_copy(update=changes)


def test_the_table_says_how_much_faster_c_is() -> None:
    table = host_table([measured(), measured(c=Rate(clock=900, processor=800))])
    cells = table.columns
    assert list(cells[1].cells)[6] == "15.0  (16.0)"
    assert list(cells[2].cells)[6] == "9.0  (16.0)"
    assert table.caption is None


def test_too_few_images_give_no_verdict() -> None:
    few = host_table([measured(images=999, c=Rate(clock=900, processor=800))])
    assert list(few.columns[1].cells)[6] == "9.0  (16.0)"
    assert "Fewer than 1,000 images" in str(few.caption)
