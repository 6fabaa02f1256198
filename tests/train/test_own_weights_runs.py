"""Runs whose first and last layer have 8-bit weights of each task's own: trained, resumed, read
back, and exported as what they were trained to be.

The layers of 8 bits are the same in both residual architectures: reactnet runs in
``make test-full`` only.
"""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest
from tiny_tasks import SECRETS

from rbnn.container import params
from rbnn.container.seal import unseal
from rbnn.engine.reference import Reference
from rbnn.export.export import NO_PROVIDER, make_container
from rbnn.runs.figures import read_figures
from rbnn.runs.parameters import ModelParameters
from rbnn.runs.run import Run
from rbnn.tasks import TaskData
from rbnn.train.evaluate import predict_logits
from rbnn.train.trainer import Trainer
from rbnn.train.transfer import load_network

ENDS = {"stem_bits": 8, "classifier_bits": 8}


@pytest.mark.parametrize(
    "architecture", ["vgg", "resnet", pytest.param("reactnet", marks=pytest.mark.full)]
)
def test_the_device_computes_what_was_trained(
    begin: Callable[..., Run], data: list[TaskData], architecture: str
) -> None:
    depth = 3 if architecture == "vgg" else 2
    run = begin(architecture=architecture, depth=depth, epochs=10, **ENDS)
    trainer = Trainer(run, data)
    trainer.fit()
    first, *_, last = read_figures(run)
    assert all(last.tasks[task].loss < first.tasks[task].loss for task in SECRETS)
    parameters = ModelParameters.load(run.parameters_file)
    network = load_network(run)
    container = make_container(run.config(), parameters, run.secrets(), NO_PROVIDER)
    for number, task in enumerate(data):
        logits = predict_logits(network, task.name, task.test.images)
        np.testing.assert_array_equal(
            logits, predict_logits(trainer.network, task.name, task.test.images)
        )
        reference = Reference.open(container, number, run.secrets()[task.name])
        classes = reference.infer(task.test.images).logits.argmax(axis=1)
        assert np.mean(classes == logits.argmax(axis=1)) >= 0.98


@pytest.mark.usefixtures("eager")
def test_each_task_has_weights_of_its_own_in_its_sealed_block(
    begin: Callable[..., Run], data: list[TaskData]
) -> None:
    run = begin(depth=3, epochs=1, **ENDS)
    Trainer(run, data).fit()
    parameters = ModelParameters.load(run.parameters_file)
    container = make_container(run.config(), parameters, run.secrets(), NO_PROVIDER)
    last = len(container.topology.layers) - 1
    assert {0, last}.isdisjoint(parameters.kernels)
    stems = []
    for number, task in enumerate(data):
        own = parameters.weights[task.name]
        assert set(own) == {0, last}
        plaintext = unseal(
            container.tasks[number].sealed, run.secrets()[task.name], container.model_id, number
        )
        groups = params.decode(plaintext, container.topology, container.plan).groups
        np.testing.assert_array_equal(groups[0].weights, own[0].weights)
        sealed = groups[last].weights
        assert sealed is not None
        classes = len(task.labels)
        np.testing.assert_array_equal(sealed[:, :classes], own[last].weights[:, :classes])
        assert not sealed[:, classes:].any()
        stems.append(own[0].weights)
    assert (stems[0] != stems[1]).any()


@pytest.mark.usefixtures("eager")
def test_a_resumed_run_ends_as_one_that_never_stopped(
    begin: Callable[..., Run], data: list[TaskData]
) -> None:
    whole = begin(depth=3, steps=6, **ENDS)
    Trainer(whole, data).fit()
    parts = begin(depth=3, steps=6, **ENDS)
    config = parts.config()
    parts.write_config(config.model_copy(update={"model_id": whole.config().model_id}))
    first = Trainer(parts, data)
    for step in range(3):
        first.advance(step / 6)
    first._checkpoints.save(3)
    Trainer(parts, data).fit()
    ours, theirs = (ModelParameters.load(run.parameters_file) for run in (parts, whole))
    for task, layers in theirs.weights.items():
        for number, own in layers.items():
            np.testing.assert_array_equal(ours.weights[task][number].weights, own.weights)


def test_a_config_without_them_is_that_of_earlier_versions(begin: Callable[..., Run]) -> None:
    plain = json.loads(begin().config_file.read_text())
    assert not {"stem_bits", "classifier_bits"} & set(plain)
    own = begin(stem_bits=8)
    assert json.loads(own.config_file.read_text())["stem_bits"] == 8
    assert own.config().classifier_bits == 1
