"""What training might leave behind, random."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from rbnn.nets.topology import Layer, Topology
from rbnn.runs.parameters import ModelParameters, Normalisation, OwnWeights, RPReLU
from rbnn.spec.layout import Activation, Sign, Stage
from rbnn.spec.own_weights import stem_shift


def _random_norm(rng: np.random.Generator, layer: Layer, channels: int) -> Normalisation:
    """Batch norm that spreads the layer's sums to about one."""
    spread = float(np.sqrt(np.prod(layer.kernel_shape[:-1])))
    spread *= 70 if layer.op.is_first else 1
    if layer.op.own_weights:
        shift = stem_shift(layer.filter_weights) if layer.op.is_first else 0
        spread *= 70 / (1 << shift)
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
    layers = {n: layer for n, layer in enumerate(topology.layers) if layer.op.has_weights}

    def normal(channels: int) -> npt.NDArray[np.float32]:
        return rng.normal(0, 0.3, channels).astype(np.float32)

    return ModelParameters(
        {
            n: rng.normal(0, 1, own.kernel_shape).astype(np.float32)
            for n, own in layers.items()
            if own.bits
        },
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
        {
            task: {
                n: OwnWeights(
                    rng.integers(-127, 128, own.kernel_shape).astype(np.int8),
                    rng.uniform(0.001, 0.01, own.out_shape[2]).astype(np.float32),
                )
                for n, own in layers.items()
                if own.op.own_weights
            }
            for task in tasks
        },
    )
