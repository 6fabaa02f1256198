"""What a thief starts from: exactly the container's bits, of one size, or nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from rbnn.nets.padding import pad
from rbnn.runs.parameters import ModelParameters
from rbnn.spec.key_stream import kernel_mask, stream_key
from rbnn.spec.packing import unpack_kernel
from rbnn.theft.starts import Loot, random_signs, signs_of, starting_point
from rbnn.train.transfer import load_network


def other_classes(parameters: ModelParameters, classes: int) -> ModelParameters:
    """Parameters of a task ``victim`` with fresh-looking norms and ``classes`` outputs."""
    rng = np.random.default_rng(3)
    last = max(parameters.kernels)
    kernels = {
        n: rng.normal(0, 0.1, (*k.shape[:-1], classes if n == last else k.shape[-1]))
        for n, k in parameters.kernels.items()
    }
    norms = {
        n: type(norm)(
            *(np.full(kernels[n].shape[-1], value, np.float32) for value in (1, 0, 0, 1)), 1e-3
        )
        for n, norm in parameters.normalisations["grey"].items()
    }
    return ModelParameters({n: k.astype(np.float32) for n, k in kernels.items()}, {"victim": norms})


def test_the_bits_are_those_of_the_container(random_export: Callable[..., Any]) -> None:
    made = random_export(width=40)  # channels that are padded
    container = made.export.container
    parameters = ModelParameters.load(made.run.parameters_file)
    stored = signs_of(parameters.kernels)
    network = load_network(made.run)
    padded = pad(network.topology)
    for number, signs in stored.items():
        layer = container.topology.layers[number]
        packed = container.stored_bits(number)
        bits = unpack_kernel(packed, layer.kernel_shape, layer.packing)
        np.testing.assert_array_equal(padded.extract(number, bits), signs > 0)
        key = stream_key(made.secrets["grey"], container.model_id)
        mask = kernel_mask(key, number, layer.kernel_shape, layer.packing)
        licensed = network.shared[number].task_kernel("grey").numpy()
        np.testing.assert_array_equal(padded.extract(number, bits ^ mask), licensed > 0)


@pytest.mark.parametrize("magnitude", [1.0, 0.5])
def test_every_start_from_bits_has_one_size_per_layer(
    random_export: Callable[..., Any], magnitude: float
) -> None:
    parameters = ModelParameters.load(random_export().run.parameters_file)
    fresh = other_classes(parameters, 10)
    for kernels in (signs_of(parameters.kernels), random_signs(fresh.kernels, "victim", 7)):
        start = starting_point(fresh, "victim", Loot(kernels), magnitude, 1)
        assert start.normalisations == fresh.normalisations
        for number, values in start.kernels.items():
            np.testing.assert_array_equal(np.sign(values), kernels[number])
            size = magnitude * np.sqrt(np.mean(fresh.kernels[number] ** 2))
            np.testing.assert_allclose(np.abs(values), size, rtol=1e-5)
    assert starting_point(fresh, "victim", None, magnitude, 1) is fresh


def test_outputs_missing_from_the_loot_are_random_and_fresh(
    random_export: Callable[..., Any],
) -> None:
    parameters = ModelParameters.load(random_export().run.parameters_file)
    fresh = other_classes(parameters, 7)
    last = max(fresh.kernels)
    bits = signs_of(parameters.kernels)
    start = starting_point(fresh, "victim", Loot(bits, 4, parameters, "grey"), 1.0, 5)
    rest = random_signs(fresh.kernels, "victim", 5)[last]
    np.testing.assert_array_equal(np.sign(start.kernels[last][:, :4]), bits[last][:, :4])
    np.testing.assert_array_equal(np.sign(start.kernels[last][:, 4:]), rest[:, 4:])
    norm, own = start.normalisations["victim"], parameters.normalisations["grey"]
    np.testing.assert_array_equal(norm[last].mean[:4], own[last].mean[:4])
    np.testing.assert_array_equal(norm[last].mean[4:], 0)
    assert norm[0] is own[0]


def test_a_network_of_another_shape_is_refused(random_export: Callable[..., Any]) -> None:
    fresh = other_classes(ModelParameters.load(random_export().run.parameters_file), 7)
    wide = ModelParameters.load(random_export(width=64).run.parameters_file)
    with pytest.raises(ValueError, match="Received"):
        starting_point(fresh, "victim", Loot(signs_of(wide.kernels)), 1.0, 1)


def test_random_bits_are_fair_and_differ_by_victim_and_seed() -> None:
    kernels = {0: np.zeros((3, 3, 64, 64), np.float32)}
    drawn = [random_signs(kernels, *key)[0] for key in (("a", 1), ("a", 2), ("b", 1))]
    for signs in drawn:
        assert abs(signs.mean()) < 0.03
    assert abs(np.mean(drawn[0] * drawn[1])) < 0.03
    assert abs(np.mean(drawn[0] * drawn[2])) < 0.03
