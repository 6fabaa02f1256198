"""Which way a network computes while training: fused where it can, else its Keras models."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rbnn.compiler import CompilerError
from rbnn.nets.framework import tf
from rbnn.nets.fused.body import FusedTask
from rbnn.nets.fused.library import operations
from rbnn.nets.fused.nodes import nodes_of

if TYPE_CHECKING:
    from rbnn.nets.build import SharedNetwork

TrainingModel = Callable[[tf.Tensor], tf.Tensor]
"""uint8 images to float32 logits, as a task's Keras model with ``training=True``."""


@dataclass(frozen=True)
class TrainingModels:
    """How a network computes while it trains.

    Args:
        by_task: one for each task.
        fused: whether they are the fused operations.
    """

    by_task: Mapping[str, TrainingModel]
    fused: bool


def training_models(network: SharedNetwork, fused: bool = True) -> TrainingModels:
    """The fused passes of a network, or its Keras models: on a GPU, with several replicas, in
    float32, for channels that the operations do not have, and without a compiler.

    Args:
        network: any.
        fused: False for the Keras models in any case.
    """
    nodes = nodes_of(network.topology) if fused and _fits(network) else None
    if nodes is not None and _built():
        return TrainingModels(
            {task.name: FusedTask(network, task, nodes) for task in network.tasks}, fused=True
        )
    models = {name: functools.partial(m, training=True) for name, m in network.models.items()}
    return TrainingModels(models, fused=False)


def _fits(network: SharedNetwork) -> bool:
    on_gpu = bool(tf.config.list_logical_devices("GPU"))
    return network.halved and not network.shared_batch and not on_gpu


@functools.cache
def _built() -> bool:
    """Whether this machine has the operations; says once where it has not."""
    try:
        operations()
    except (CompilerError, tf.errors.NotFoundError) as error:
        print(f"Training without fused operations, slower: {error}", file=sys.stderr)
        return False
    return True
