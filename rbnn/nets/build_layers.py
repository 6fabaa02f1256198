"""Builds the layers of a network: those that all tasks share and those that each task owns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from rbnn.nets.framework import tf
from rbnn.nets.keras_operator import KERAS, SharedLayer
from rbnn.nets.own_weights import OwnWeights
from rbnn.nets.stream_layers import StreamLogits, StreamNorm, StreamRPReLU, StreamRSign
from rbnn.nets.task_norm import TaskNorm
from rbnn.nets.topology import Layer, Topology
from rbnn.spec.layout import Activation, Sign, Stage
from rbnn.spec.operators import Reads

BATCH_NORM_EPSILON = 1e-3
BATCH_NORM_MOMENTUM = 0.9


@dataclass(frozen=True)
class TaskLayers:
    """One task's own layers, by number of the network layer whose stage they belong to.

    Args:
        norms: batch norms, one for each layer that has weights.
        activations: of the residual stages that have RPReLU.
        signs: of the residual stages that have thresholds.
        kernels: the layers with 8-bit weights.
    """

    norms: dict[int, TaskNorm] = field(default_factory=dict)
    activations: dict[int, StreamRPReLU] = field(default_factory=dict)
    signs: dict[int, StreamRSign] = field(default_factory=dict)
    kernels: dict[int, OwnWeights] = field(default_factory=dict)

    @property
    def trainable_variables(self) -> list[tf.Variable]:
        """Everything that training changes, in a fixed order."""
        return [
            variable
            for layers in (self.norms, self.activations, self.signs, self.kernels)
            for layer in layers.values()
            for variable in layer.trainable_variables
        ]


def shared_layer(
    topology: Topology, number: int, tasks: Sequence[str], scheme: str, seed: int, halved: bool
) -> SharedLayer:
    """The Larq layer of one row of the layer table, built."""
    layer = topology.layers[number]
    options = {
        "tasks": tasks,
        "scheme": scheme,
        "input_quantizer": _input_quantizer(topology, layer),
        "kernel_initializer": tf.keras.initializers.GlorotNormal(seed=seed * 1000 + number),
        "name": f"layer_{number}",
    }
    shared = KERAS[layer.op].shared
    assert shared is not None
    return shared(layer, halved, options)


def _input_quantizer(topology: Topology, layer: Layer) -> str | None:
    """How a layer takes its input's signs; the estimators differ only in their gradient.

    Source: Liu et al., "Bi-Real Net", ECCV 2018, section 3.3 (approx_sign, for residual streams).
    """
    if layer.op.reads is not Reads.BITS:
        return None
    source = topology.layers[layer.source]
    return "approx_sign" if source.stage is Stage.RESIDUAL else "ste_sign"


def _norm(layer: Layer, name: str, shared_batch: bool) -> TaskNorm:
    """The batch norm of a layer's stage or logits."""
    options: dict[str, Any] = {
        "momentum": BATCH_NORM_MOMENTUM,
        "epsilon": BATCH_NORM_EPSILON,
        "shared_batch": shared_batch,
        "name": name,
    }
    if layer.stage is Stage.RESIDUAL:
        return StreamNorm(unit=layer.op.unit, **options)
    if layer.op.is_last and layer.reads_stream:
        return StreamLogits(**options)
    return TaskNorm(scale=layer.stage is Stage.NONE, **options)


def task_layers(topology: Topology, task: str, shared_batch: bool, seed: int) -> TaskLayers:
    """The layers that belong to one task, built; ``seed`` is that of the network's kernels."""
    own = TaskLayers()
    for number, layer in enumerate(topology.layers):
        if not layer.op.has_weights:
            continue
        channels = layer.out_shape[2]
        shape = (None, None, None, channels) if layer.kernel else (None, channels)
        own.norms[number] = _norm(layer, f"{task}_norm_{number}", shared_batch)
        own.norms[number].build(shape)
        if layer.activation is Activation.RPRELU:
            own.activations[number] = StreamRPReLU(name=f"{task}_rprelu_{number}")
            own.activations[number].build(shape)
        if layer.sign is Sign.THRESHOLDS:
            own.signs[number] = StreamRSign(name=f"{task}_rsign_{number}")
            own.signs[number].build(shape)
        if layer.op.own_weights:
            weighted = KERAS[layer.op].weighted
            assert weighted is not None
            quantizer, name = _input_quantizer(topology, layer), f"{task}_weights_{number}"
            own.kernels[number] = weighted(layer, quantizer, seed * 1000 + number, name)
    return own
