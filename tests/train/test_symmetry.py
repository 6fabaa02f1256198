"""Why the stored bits give nothing away: the symmetry behind ARCHITECTURE.md.

Flipping any bits of P together with the same bits of every key stream changes no task's network,
and throughout training the two runs differ by exactly these signs. Initial values are symmetric
about 0, so for every trained P every other P is equally likely, with the same networks.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from tiny_tasks import MODEL, SECRETS

from rbnn.runs.parameters import ModelParameters
from rbnn.runs.run import Run
from rbnn.spec.key_stream import StreamKeys, kernel_mask, stream_key, trunk_key
from rbnn.tasks import TaskData
from rbnn.train.trainer import Trainer
from rbnn.train.transfer import read_parameters


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("trunk", [pytest.param(0, marks=pytest.mark.full), 3])
def test_bits_flipped_in_p_and_in_all_streams_train_to_the_same_networks(
    begin: Callable[..., Run], data: list[TaskData], trunk: int
) -> None:
    generator = np.random.default_rng(6)
    plain, turned = (
        Trainer(begin(folder, depth=3, epochs=1, trunk=trunk), data)
        for folder in ("plain", "turned")
    )
    of_trunk = trunk_key(SECRETS.values(), MODEL)
    flips = {}
    for number, layer in turned.network.shared.items():
        row = turned.network.topology.layers[number]
        shape = row.kernel_shape
        flips[number] = generator.random(shape) < 0.5
        signs = np.where(flips[number], -1, 1).astype(np.float32)
        layer.latent_kernel.assign(layer.latent_kernel * signs)
        for task, secret in SECRETS.items():
            keys = StreamKeys(stream_key(secret, MODEL), of_trunk, turned.network.trunk_layers)
            mask = kernel_mask(keys.of(number), number, shape, row.packing)
            layer.set_key(task, mask ^ flips[number])
    for trainer in (plain, turned):
        trainer.fit()

    one, other = read_parameters(plain.network), read_parameters(turned.network)
    for number, kernel in one.kernels.items():
        signs = np.where(flips[number], -1, 1)
        np.testing.assert_array_equal(other.kernels[number], kernel * signs)
    assert plain.figures.epochs[-1].tasks == turned.figures.epochs[-1].tasks
    for task, norms in one.normalisations.items():
        for number, norm in norms.items():
            np.testing.assert_array_equal(norm.beta, other.normalisations[task][number].beta)


def test_initial_values_are_symmetric_and_p_is_balanced_after_training(trained: Run) -> None:
    for number, kernel in ModelParameters.load(trained.parameters_file).kernels.items():
        ones = int((kernel >= 0).sum())
        deviation = abs(ones - kernel.size / 2) / np.sqrt(kernel.size / 4)
        assert deviation < 5, f"layer {number}: {ones} of {kernel.size} bits are 1"
