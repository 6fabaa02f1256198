"""A run with random values, as training would have left it: for measurements that ask for shapes
and not for accuracy."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from rbnn.nets.architectures import architecture
from rbnn.nets.own.stored import StoredNetwork
from rbnn.nets.topology import Layer, Shape
from rbnn.runs.config import RunConfig, RunTask
from rbnn.runs.parameters import Array, ModelParameters, Normalisation, OwnWeights, RPReLU
from rbnn.runs.run import Run
from rbnn.runs.settings import CipherName
from rbnn.spec.layout import Activation, Adapter, Sign, Stage
from rbnn.spec.operator import LARGEST_OWN_WEIGHT
from rbnn.spec.own_weights import stem_shift

TASKS = ("first", "second")
PIXEL_SPREAD = 70.0
"""Standard deviation of a pixel, which the sums of a stem grow with."""
WEIGHT_SPREAD = LARGEST_OWN_WEIGHT / 3
"""Standard deviation of an 8-bit weight."""
EPSILON = 1e-3


def write_synthetic_run(
    folder: Path,
    name: str,
    *,
    width: int | None = None,
    depth: int | None = None,
    stages: int | None = None,
    stem_bits: int = 1,
    classifier_bits: int = 1,
    network: StoredNetwork | None = None,
    input_shape: Shape = (32, 32, 3),
    classes: int = 10,
    cipher: CipherName = "chacha20",
    seed: int = 1,
) -> Run:
    """Write a run folder with two tasks.

    Args:
        folder: where.
        name: architecture, as ``rbnn train --arch`` takes it.
        width: its channels; the architecture's default where None.
        depth: its depth, as ``width``.
        stages: its stages, as ``width``.
        stem_bits: of a weight in the first layer, 1 or 8.
        classifier_bits: of a weight in the last layer.
        network: one of the user's own, in place of an architecture; ``name`` is its name.
        input_shape: height, width, channels.
        classes: of each task.
        cipher: of the key stream.
        seed: of everything, the task secrets too: they protect nothing.

    Raises:
        RbnnError: no such architecture, or a size that it does not take.
    """
    if network is None:
        chosen = architecture(name)
        width = chosen.width if width is None else width
        depth = chosen.depth if depth is None else depth
    rng = np.random.default_rng(seed)
    config = RunConfig(
        tasks=tuple(_task(task, classes, input_shape[2]) for task in TASKS),
        architecture=name,
        width=width,
        depth=depth,
        stages=stages,
        stem_bits=stem_bits,
        classifier_bits=classifier_bits,
        network=network,
        input_shape=input_shape,
        scheme="xor",
        cipher=cipher,
        model_id=rng.bytes(16).hex(),
        seed=seed,
        epochs=1,
        learning_rate=0.01,
    )
    layers = config.topology().layers
    kernels = {
        number: rng.normal(0, 1, layer.kernel_shape).astype(np.float32)
        for number, layer in enumerate(layers)
        if layer.bits
    }
    parameters = ModelParameters(
        kernels,
        {
            task: {n: _norm(rng, layer) for n, layer in enumerate(layers) if layer.op.has_weights}
            for task in TASKS
        },
        {
            task: {
                n: _rprelu(rng, layer)
                for n, layer in enumerate(layers)
                if layer.activation is Activation.RPRELU
            }
            for task in TASKS
        },
        {
            task: {
                n: _values(rng, layer, 0.3)
                for n, layer in enumerate(layers)
                if layer.sign is Sign.THRESHOLDS
            }
            for task in TASKS
        },
        {
            task: {
                n: _own_weights(rng, layer)
                for n, layer in enumerate(layers)
                if layer.op.own_weights
            }
            for task in TASKS
        },
    )
    run = Run(folder)
    run.write_config(config)
    run.write_secrets({task: rng.bytes(32) for task in TASKS})
    parameters.save(run.parameters_file)
    return run


def _task(name: str, classes: int, channels: int) -> RunTask:
    return RunTask(
        name=name,
        labels=tuple(f"{name}-{k}" for k in range(classes)),
        input_channels=channels,
        adapter=Adapter.IDENTITY,
        offsets=(120, 128, 130, 125)[:channels],
        source=name,
    )


def _norm(rng: np.random.Generator, layer: Layer) -> Normalisation:
    channels = layer.out_shape[2]
    spread = math.sqrt(layer.filter_weights)
    if layer.op.is_first:
        spread *= PIXEL_SPREAD
    if layer.op.own_weights:
        spread *= WEIGHT_SPREAD / (1 << stem_shift(layer.filter_weights) * layer.op.is_first)
    free = layer.stage is not Stage.THRESHOLD
    gamma = rng.uniform(0.5, 2, channels) if free else np.ones(channels)
    return Normalisation(
        gamma=gamma.astype(np.float32),
        beta=_values(rng, layer, 0.5),
        mean=_values(rng, layer, spread / 4),
        variance=(spread**2 * rng.uniform(0.5, 2, channels)).astype(np.float32),
        epsilon=EPSILON,
    )


def _own_weights(rng: np.random.Generator, layer: Layer) -> OwnWeights:
    drawn = np.rint(rng.normal(0, WEIGHT_SPREAD, layer.kernel_shape))
    weights = np.clip(drawn, -LARGEST_OWN_WEIGHT, LARGEST_OWN_WEIGHT).astype(np.int8)
    return OwnWeights(weights, np.full(layer.out_shape[2], 1 / WEIGHT_SPREAD, np.float32))


def _rprelu(rng: np.random.Generator, layer: Layer) -> RPReLU:
    slope = rng.uniform(0.1, 0.4, layer.out_shape[2]).astype(np.float32)
    return RPReLU(_values(rng, layer, 0.2), slope, _values(rng, layer, 0.2))


def _values(rng: np.random.Generator, layer: Layer, spread: float) -> Array:
    return rng.normal(0, spread, layer.out_shape[2]).astype(np.float32)
