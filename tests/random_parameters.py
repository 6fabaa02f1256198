"""What training might leave behind, random."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from rbnn.nets.topology import Layer, Topology
from rbnn.runs.parameters import ModelParameters, Normalisation, RPReLU
from rbnn.spec import operators
from rbnn.spec.layout import Activation, Sign, Stage


def _random_norm(rng: np.random.Generator, layer: Layer, channels: int) -> Normalisation:
    """Batch norm that spreads the layer's sums to about one."""
    spread = float(np.sqrt(np.prod(layer.kernel_shape[:-1])))
    spread *= 70 if layer.op is operators.STEM else 1
    free = layer.stage is not Stage.THRESHOLD
    return Normalisation(
        gamma=(rng.uniform(0.5, 2, channels) if free else np.ones(channels)).astype(np.float32),
        beta=rng.normal(0, 0.5, channels).astype(np.float32),
        mean=rng.normal(0, spread / 4, channels).astype(np.float32),
        variance=(spread**2 * rng.uniform(0.5, 2, channels)).astype(np.float32),
        epsilon=1e-3,
    )


def random_parameters(
    rng: np.random.Generator, topology: Topology, tasks: Sequence[str]
) -> ModelParameters:
    """What training might leave behind, random.

    Args:
        rng: source of randomness.
        topology: as trained, channels not padded.
        tasks: names.
    """
    layers = {n: layer for n, layer in enumerate(topology.layers) if layer.bits}

    def normal(channels: int) -> npt.NDArray[np.float32]:
        return rng.normal(0, 0.3, channels).astype(np.float32)

    return ModelParameters(
        {n: rng.normal(0, 1, own.kernel_shape).astype(np.float32) for n, own in layers.items()},
        {
            task: {n: _random_norm(rng, own, own.out_shape[2]) for n, own in layers.items()}
            for task in tasks
        },
        {
            task: {
                n: RPReLU(
                    normal(own.out_shape[2]),
                    rng.uniform(-0.5, 1.5, own.out_shape[2]).astype(np.float32),
                    normal(own.out_shape[2]),
                )
                for n, own in layers.items()
                if own.activation is Activation.RPRELU
            }
            for task in tasks
        },
        {
            task: {
                n: normal(own.out_shape[2])
                for n, own in layers.items()
                if own.sign is Sign.THRESHOLDS
            }
            for task in tasks
        },
    )
