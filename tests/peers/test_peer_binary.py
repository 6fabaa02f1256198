"""Separate binary networks have the most bits that fit into the flash of the shared set."""

from __future__ import annotations

from pathlib import Path

import pytest

from rbnn.container.sizes import measure
from rbnn.errors import RbnnError
from rbnn.export.integer_predictor import current_container
from rbnn.peers.binary import BinaryShape, prepare_separate, separate_binary, shared_flash
from rbnn.peers.plan import PeerSettings, make_plan
from rbnn.runs.run import Run
from rbnn.runs.synthetic import write_synthetic_run

BOTH = ("first", "second")


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return write_synthetic_run(tmp_path / "run", "resnet", width=64, depth=7, stages=3)


def test_the_flash_of_some_tasks_is_the_shared_part_and_theirs(run: Run) -> None:
    sizes = measure(current_container(run))
    one = next(task for task in sizes.tasks if task.name == "first")
    assert shared_flash(sizes, ["first"]) == sizes.shared + one.own
    assert shared_flash(sizes, BOTH) == sizes.reconfigurable


def test_they_fit_and_a_network_of_the_same_shape_is_the_limit(run: Run) -> None:
    sizes = measure(current_container(run))
    config = run.config()
    assert separate_binary(config, BOTH, sizes.separate) == BinaryShape(64, 7, 3)
    smaller = separate_binary(config, BOTH, sizes.separate - 1)
    assert smaller != BinaryShape(64, 7, 3)
    assert smaller.width <= 64 and smaller.depth <= 7 and (smaller.stages or 0) <= 3
    with pytest.raises(RbnnError, match="No 2 separate binary networks fit"):
        separate_binary(config, BOTH, 1000)


def test_a_separate_network_trains_on_the_samples_of_the_comparison(
    run: Run, tmp_path: Path
) -> None:
    plan = make_plan(run, PeerSettings(steps=40))
    flash = shared_flash(measure(current_container(run)), BOTH)
    own = prepare_separate(tmp_path / "own", run.config(), plan, "second", flash)
    config = own.config()
    assert [task.name for task in config.tasks] == ["second"]
    assert config.planned_steps == 40
    assert config.tasks[0].batch == config.batch == plan.batches["second"]
    assert config.scheme == "xor" and set(own.secrets()) == {"second"}
    again = prepare_separate(tmp_path / "own", run.config(), plan, "second", flash)
    assert again.secrets() == own.secrets()
