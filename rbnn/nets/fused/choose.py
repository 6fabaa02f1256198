"""Which way a network computes while training: fused where it can, else its Keras models."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rbnn.compiler import CompilerError
from rbnn.nets.framework import tf
from rbnn.nets.fused.body import FusedNetwork
from rbnn.nets.fused.library import operations
from rbnn.nets.fused.nodes import nodes_of

if TYPE_CHECKING:
    from rbnn.nets.build import SharedNetwork


@dataclass(frozen=True)
class TrainingModels:
    """How a network computes while it trains.

    Args:
        logits: from uint8 images by task to float32 logits by task, for any of the tasks.
        fused: whether the fused operations compute them.
    """

    logits: Callable[[Mapping[str, tf.Tensor]], dict[str, tf.Tensor]]
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
        return TrainingModels(FusedNetwork(network, nodes), fused=True)

    def logits(images: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        return {name: network.models[name](x, training=True) for name, x in images.items()}

    return TrainingModels(logits, fused=False)


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
