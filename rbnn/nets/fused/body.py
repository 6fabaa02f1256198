"""One task's training forward pass: the fused operations up to the last layer, then Keras."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from rbnn.nets.framework import tf
from rbnn.nets.fused.library import operations, threads
from rbnn.nets.fused.nodes import Node, has_bits
from rbnn.nets.layers import InputAdapter, TaskLogits

if TYPE_CHECKING:
    from rbnn.nets.build import SharedNetwork, TaskInput

VALUES = 8
"""Tensors of a node: latent kernel, its factors, gamma, beta, point, slope, offset, threshold."""
FACTOR = 1
MOST_SLOTS = 256
_slots = itertools.cycle(range(MOST_SLOTS))


class FusedTask:
    """Computes, while training, what the task's Keras model does; to bfloat16's rounding.

    Args:
        network: whose layers it reads.
        task: which one.
        nodes: of the network's topology.

    Attributes:
        slot: where a pass forward leaves what its pass back needs. A pass that never goes back
            keeps it until the next one.
    """

    def __init__(self, network: SharedNetwork, task: TaskInput, nodes: list[Node]) -> None:
        self._network = network
        self._nodes = nodes
        self._task = task
        self._adapter = InputAdapter(network.topology.input_shape[2], task.adapter, task.offsets)
        self._cut = TaskLogits(task.classes)
        self.slot = next(_slots)

    def __call__(self, images: tf.Tensor) -> tf.Tensor:
        """Logits of a sub-batch.

        Args:
            images: (batch, height, width, task's channels) uint8, with a known batch.
        """
        task, last = self._task.name, len(self._network.topology.layers) - 1
        values = [value for node in self._nodes for value in self._values(node)]
        x = self._features(self._adapter(images), values)
        x = tf.reshape(x, [images.shape[0], -1])
        x = self._network.shared[last](x, task=task)
        return self._cut(self._network.own[task].norms[last](x, training=True))

    def _features(self, images: tf.Tensor, values: list[tf.Tensor]) -> tf.Tensor:
        shape = (images.shape[0], *self._nodes[-1].out_shape)
        options = {
            "threads": threads(),
            "slot": self.slot,
            "nodes": [int(one) for node in self._nodes for one in node.integers()],
        }

        @tf.custom_gradient  # type: ignore[untyped-decorator]
        def compute(images: tf.Tensor, *values: tf.Tensor) -> Any:
            made = operations().rbnn_forward(images=images, values=values, **options)
            made.features.set_shape(shape)

            def gradient(upstream: tf.Tensor) -> list[tf.Tensor | None]:
                found = operations().rbnn_backward(
                    of_features=upstream,
                    ticket=made.ticket,
                    images=images,
                    values=values,
                    **options,
                )
                gradients: list[tf.Tensor | None] = [None]
                for place, (one, value) in enumerate(zip(found, values, strict=True)):
                    one.set_shape(value.shape if place % VALUES != FACTOR else [0])
                    gradients.append(None if place % VALUES == FACTOR else one)
                return gradients

            return made.features, gradient

        return compute(images, *values)

    def _values(self, node: Node) -> list[tf.Tensor]:
        nothing = tf.zeros([0])
        if not has_bits(node):
            return [nothing] * VALUES
        own, shared = self._network.own[self._task.name], self._network.shared[node.number]
        norm = own.norms[node.number]
        values = [
            *shared.stored_factors(self._task.name),
            None if norm.gamma is None else tf.convert_to_tensor(norm.gamma),
            tf.convert_to_tensor(norm.beta),
        ]
        activation, sign = own.activations.get(node.number), own.signs.get(node.number)
        values += [None] * 3 if activation is None else activation.values()
        values.append(None if sign is None else sign.values())
        return [nothing if value is None else value for value in values]
