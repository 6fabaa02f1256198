"""Runs of the residual architectures: the loss falls, and what is on disk is the network."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from tiny_tasks import SECRETS

from rbnn.runs.figures import read_figures
from rbnn.runs.parameters import ModelParameters
from rbnn.runs.run import Run
from rbnn.tasks import TaskData
from rbnn.train.evaluate import predict_logits
from rbnn.train.trainer import Trainer
from rbnn.train.transfer import load_network


@pytest.mark.parametrize(
    "architecture", [pytest.param("resnet", marks=pytest.mark.full), "reactnet"]
)
def test_a_residual_run_gets_better_and_is_read_back(
    begin: Callable[..., Run], data: list[TaskData], architecture: str
) -> None:
    run = begin(architecture=architecture, depth=2, epochs=10, cipher="chacha8")
    trainer = Trainer(run, data)
    trainer.fit()
    # The average over the picture says little about where a stripe is: 50 steps only lower loss.
    first, *_, last = read_figures(run)
    for task in data:
        assert last.tasks[task.name].loss < first.tasks[task.name].loss - 0.05, task.name
    parameters = ModelParameters.load(run.parameters_file)
    shifted = architecture == "reactnet"
    assert all(bool(parameters.activations.get(task)) == shifted for task in SECRETS)
    assert all(bool(parameters.signs.get(task)) == shifted for task in SECRETS)
    network = load_network(run)
    for task in data:
        np.testing.assert_array_equal(
            predict_logits(network, task.name, task.test.images),
            predict_logits(trainer.network, task.name, task.test.images),
        )
    assert Trainer(run, data).steps == trainer.steps
