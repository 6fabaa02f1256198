"""Runs of the schemes that exist for comparison: trained, measured, refused by a device."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from tiny_tasks import MODEL, SECRETS

from rbnn.errors import RbnnError
from rbnn.nets.schemes import SCHEMES
from rbnn.runs.errors import TrainingError
from rbnn.runs.run import Run
from rbnn.runs.settings import Scheme, Settings
from rbnn.runs.start import start_run
from rbnn.tasks import TaskData
from rbnn.train.assess import assess
from rbnn.train.trainer import Trainer
from rbnn.train.transfer import load_network


@pytest.fixture(scope="module", params=["sign", "permute"])
def keyed(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, data: list[TaskData]
) -> Run:
    """A run of four epochs under each scheme."""
    settings = Settings(width=32, depth=3, batch=10, epochs=4, seed=5, scheme=request.param)
    folder = tmp_path_factory.mktemp(request.param)
    run = start_run(folder, data, settings, secrets=SECRETS, model_id=MODEL)
    Trainer(run, data).fit()
    return run


def test_run_and_network_know_the_same_schemes() -> None:
    assert get_args(Scheme) == SCHEMES


def test_both_tasks_are_learnt_and_a_wrong_secret_is_noticed(
    keyed: Run, data: list[TaskData]
) -> None:
    reports = assess(keyed, data, wrong_secrets=4)
    for report in reports:
        assert report.wrong_secrets is not None
        assert len(report.wrong_secrets.accuracies) == 4
        assert report.wrong_secrets.mean < report.accuracy - 0.2
        assert report.accuracy > report.chance.high + 0.3


def test_a_loaded_network_is_keyed_with_the_runs_secrets(keyed: Run) -> None:
    network, again = load_network(keyed), load_network(keyed)
    again.set_secrets(SECRETS, MODEL)
    for number, layer in network.shared.items():
        for task in SECRETS:
            kernel = layer.task_kernel(task).numpy()
            assert set(np.unique(kernel)) == {-1.0, 1.0}
            np.testing.assert_array_equal(kernel, again.shared[number].task_kernel(task))


def test_a_run_without_its_secrets_is_not_measured(
    keyed: Run, data: list[TaskData], tmp_path: Path
) -> None:
    run = Run(Path(shutil.copytree(keyed.folder, tmp_path / "run")))
    run.secrets_file.unlink()
    with pytest.raises(RbnnError, match="Cannot read the task secrets"):
        assess(run, data, wrong_secrets=0)


def test_without_keys_no_secret_can_be_wrong(
    begin: Callable[..., Run], data: list[TaskData]
) -> None:
    run = begin(scheme="none")
    assert not run.secrets_file.exists()
    with pytest.raises(TrainingError, match="without keys"):
        assess(run, data, wrong_secrets=1)
