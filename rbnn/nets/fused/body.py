"""A network's training forward pass: the fused operations up to the last layer, then Keras."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rbnn.nets.framework import tf
from rbnn.nets.fused.library import operations, threads
from rbnn.nets.fused.nodes import Node, has_kernel
from rbnn.nets.layers import InputAdapter, TaskLogits

if TYPE_CHECKING:
    from rbnn.nets.build import SharedNetwork, TaskInput

VALUES = 6
"""Floats of a node: gamma, beta, point, slope, offset, threshold."""
MOST_SLOTS = 256
_slots = itertools.cycle(range(MOST_SLOTS))


class FusedNetwork:
    """Computes, while training, what the Keras models of a network do; to bfloat16's rounding.

    Args:
        network: whose layers it reads.
        nodes: of the network's topology.
    """

    def __init__(self, network: SharedNetwork, nodes: Sequence[Node]) -> None:
        self._network = network
        self._nodes = nodes
        self._tasks = {task.name: FusedTask(network, task, nodes) for task in network.tasks}

    def __call__(self, images: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Logits by task.

        Args:
            images: by task; uint8 (batch, height, width, task's channels), with a known batch.
        """
        numbers = [node.number for node in self._nodes if node.layer.op.has_bits]
        latents = {n: tf.convert_to_tensor(self._network.shared[n].latent_kernel) for n in numbers}
        stored = dict(zip(numbers, stored_signs(list(latents.values())), strict=True))
        return {name: self._tasks[name](x, latents, stored) for name, x in images.items()}


def stored_signs(latents: Sequence[tf.Tensor]) -> list[tf.Tensor]:
    """The signs of latent kernels as the operations read them, int8."""
    found: list[tf.Tensor] = operations().rbnn_store(latents=[tf.stop_gradient(x) for x in latents])
    for one, latent in zip(found, latents, strict=True):
        one.set_shape(latent.shape)
    return found


class FusedTask:
    """One task's part of a :class:`FusedNetwork`.

    A pass forward leaves what the pass back needs in a slot of its own. A pass that never goes
    back keeps its memory until the next one.
    """

    def __init__(self, network: SharedNetwork, task: TaskInput, nodes: Sequence[Node]) -> None:
        self._network = network
        self._nodes = nodes
        self._task = task
        self._adapter = InputAdapter(network.topology.input_shape[2], task.adapter, task.offsets)
        self._cut = TaskLogits(task.classes)
        self._slot = next(_slots)
        self._factors = {
            node.number: self._own_factors(node.number) for node in nodes if node.layer.op.has_bits
        }

    def __call__(
        self,
        images: tf.Tensor,
        latents: Mapping[int, tf.Tensor],
        stored: Mapping[int, tf.Tensor],
    ) -> tf.Tensor:
        """Logits of a sub-batch; latent kernels and their stored signs by layer number."""
        task, last = self._task.name, len(self._network.topology.layers) - 1
        x = self.features(self._adapter(images), latents, stored)
        x = tf.reshape(x, [images.shape[0], -1])
        x = self._network.weigh(task, last, x)
        return self._cut(self._network.own[task].norms[last](x, training=True))

    def features(
        self,
        pixels: tf.Tensor,
        latents: Mapping[int, tf.Tensor],
        stored: Mapping[int, tf.Tensor],
    ) -> tf.Tensor:
        """What the last node emits, (batch, height, width, channels) float32."""
        nothing, nothing_small = tf.zeros([0]), tf.zeros([0], tf.int8)
        kernels, signs, factors, values = [], [], [], []
        for node in self._nodes:
            values += [nothing if value is None else value for value in self._values(node)]
            kernel, sign, factor = self._kernel(node, latents, stored)
            kernels.append(nothing if kernel is None else kernel)
            signs.append(nothing_small if sign is None else sign)
            factors.append(nothing_small if factor is None else factor)
        return self._compute(pixels, kernels, signs, factors, values)

    def _compute(
        self,
        pixels: tf.Tensor,
        kernels: list[tf.Tensor],
        signs: list[tf.Tensor],
        factors: list[tf.Tensor],
        values: list[tf.Tensor],
    ) -> tf.Tensor:
        shape = (pixels.shape[0], *self._nodes[-1].out_shape)
        options = {
            "threads": threads(),
            "slot": self._slot,
            "nodes": [int(one) for node in self._nodes for one in node.integers()],
        }

        @tf.custom_gradient  # type: ignore[untyped-decorator]
        def compute(*trained: tf.Tensor) -> Any:
            inputs = {
                "images": pixels,
                "stored": signs,
                "factors": factors,
                "values": trained[len(kernels) :],
            }
            made = operations().rbnn_forward(**inputs, **options)
            made.features.set_shape(shape)

            def gradient(upstream: tf.Tensor) -> list[tf.Tensor]:
                found = operations().rbnn_backward(
                    of_features=upstream, ticket=made.ticket, **inputs, **options
                )
                gradients = [*found.of_stored, *found.of_values]
                for one, value in zip(gradients, trained, strict=True):
                    one.set_shape(value.shape)
                return gradients

            return made.features, gradient

        return compute(*kernels, *values)

    def _kernel(
        self, node: Node, latents: Mapping[int, tf.Tensor], stored: Mapping[int, tf.Tensor]
    ) -> tuple[tf.Tensor | None, tf.Tensor | None, tf.Tensor | None]:
        """A node's latent kernel in the task's order, its signs, and the task's factors; or its
        8-bit weights, twice."""
        if not has_kernel(node):
            return None, None, None
        if node.layer.op.own_weights:
            weights = self._network.own[self._task.name].kernels[node.number].weights8()
            return weights, tf.cast(tf.stop_gradient(weights), tf.int8), None
        quantizer = self._network.shared[node.number].kernel_quantizer
        latent, signs = latents[node.number], stored[node.number]
        ordered = quantizer.ordered(latent, self._task.name)
        if ordered is not latent:
            (signs,) = stored_signs([ordered])
        return ordered, signs, self._factors[node.number]

    def _own_factors(self, number: int) -> tf.Variable | None:
        layer = self._network.shared[number]
        return layer.kernel_quantizer.small_factors(self._task.name, layer.latent_kernel.shape)

    def _values(self, node: Node) -> list[tf.Tensor | None]:
        if not has_kernel(node):
            return [None] * VALUES
        own = self._network.own[self._task.name]
        norm = own.norms[node.number]
        activation, sign = own.activations.get(node.number), own.signs.get(node.number)
        return [
            None if norm.gamma is None else tf.convert_to_tensor(norm.gamma),
            tf.convert_to_tensor(norm.beta),
            *([None] * 3 if activation is None else activation.values()),
            None if sign is None else sign.values(),
        ]
