"""The kernel quantizer that turns the shared latent kernel into one task's binary kernel.

Forward, scheme ``xor``: ``sign(latent) * mask_t`` with ``sign(0) = +1`` and ``mask_t = 1 - 2 * key
bit``; since the stored bit is ``P = (latent >= 0)``, this is ``2 * (P xor K_t) - 1``, the very
weights that the device computes with. The other schemes stand in ``rbnn.nets.schemes``. Backward:
the gradient goes through the same factors, or back to the channels that they were taken from, and
through the straight-through estimator to the latent kernel.

Keras does not track the keys: no checkpoint, config or saved model holds them. Until a task has
its key, its kernel is NaN, so that a network without a key never looks like one that works.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from rbnn.errors import RbnnError
from rbnn.nets.framework import lq, tf
from rbnn.nets.schemes import SCHEMES, ChannelOrders, LayerKey


class TaskKeys:
    """Keys of one kernel by task, out of Keras' sight: not tracked, not saved.

    Attributes:
        by_task: factors -1 and +1 that broadcast to the kernel's shape; NaN without a key. Under
            ``permute`` a scalar, 1 with a key.
        small: the same as int8, of the kernel's shape, for tasks that asked for it; 0 without a
            key.
        orders: under ``permute``, order of the input and of the output channels.
        active: the task in use.
    """

    def __init__(self) -> None:
        self.by_task: dict[str, tf.Variable] = {}
        self.small: dict[str, tf.Variable] = {}
        self.orders: dict[str, tuple[tf.Variable, tf.Variable]] = {}
        self.active: str | None = None


@lq.utils.register_keras_custom_object
class KeyedSign(lq.quantizers.Quantizer):  # type: ignore[misc]
    """Binary quantizer with one key per task.

    Args:
        tasks: names of the tasks that share the kernel.
        scheme: one of ``rbnn.nets.schemes.SCHEMES``.

    Input shape: (..., input channels, output channels). Output shape: the same; values -1 and +1.

    Source: ARCHITECTURE.md, "Reconfiguration"; Hubara et al., NeurIPS 2016 (straight-through).
    """

    precision = 1
    latent = False
    """Leave the sign out, to look at what latent values would compute; never as on a device."""

    def __init__(self, tasks: Sequence[str], scheme: str = "xor", **kwargs: Any) -> None:
        if scheme not in SCHEMES:
            raise RbnnError(
                f"Unknown scheme {scheme!r}.", f"This version knows: {', '.join(SCHEMES)}."
            )
        super().__init__(**kwargs)
        self.tasks = tuple(tasks)
        self.scheme = scheme
        self._masks = TaskKeys()

    def build(self, input_shape: Any) -> None:
        """Make room for one key per task, without a key yet."""
        shape = tuple(tf.TensorShape(input_shape).as_list())
        if self.scheme != "none":
            factors = {"xor": shape, "sign": shape[-2:], "permute": ()}[self.scheme]
            for task in self.tasks:
                self._masks.by_task[task] = _variable(np.full(factors, np.nan, np.float32))
                if self.scheme == "permute":
                    inputs, outputs = (_variable(np.arange(size)) for size in shape[-2:])
                    self._masks.orders[task] = (inputs, outputs)
        super().build(input_shape)

    def set_key(self, task: str, key: LayerKey) -> None:
        """Give the task its key in place of the one it had.

        Args:
            task: one of ``tasks``.
            key: as the scheme has it; see :data:`rbnn.nets.schemes.LayerKey`.

        Raises:
            ValueError: no such task, or the scheme takes no key.
        """
        if task not in self._masks.by_task:
            raise ValueError(f"No key for this task under scheme {self.scheme}. Received: {task}")
        if isinstance(key, ChannelOrders):
            for variable, order in zip(
                self._masks.orders[task], (key.inputs, key.outputs), strict=True
            ):
                variable.assign(order)
            self._masks.by_task[task].assign(1.0)
        else:
            self._masks.by_task[task].assign(np.where(key, np.float32(-1), np.float32(1)))
        small = self._masks.small.get(task)
        if small is not None:
            small.assign(self._small_factors(task, small.shape))

    @contextmanager
    def using(self, task: str) -> Iterator[None]:
        """Quantize for ``task`` inside the ``with`` block.

        Raises:
            ValueError: no such task.
        """
        if task not in self.tasks:
            raise ValueError(f"The kernel is shared by {', '.join(self.tasks)}. Received: {task}")
        previous, self._masks.active = self._masks.active, task
        try:
            yield
        finally:
            self._masks.active = previous

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Binary kernel of the task in use; the stored bits themselves outside ``using``."""
        stored = tf.convert_to_tensor(inputs) if self.latent else lq.quantizers.ste_sign(inputs)
        task = self._masks.active
        return stored if task is None else self.keyed(stored, task)

    def keyed(self, stored: tf.Tensor, task: str) -> tf.Tensor:
        """What the task makes of stored values; a tensor of the kernel's shape, as its argument."""
        if self.scheme == "none":
            return stored
        return self.ordered(stored, task) * self._masks.by_task[task]

    def small_factors(self, task: str, shape: Sequence[int]) -> tf.Variable | None:
        """What :meth:`keyed` multiplies with: int8, 0 without a key; None stands for ones.

        The first call makes the variable: replicas cannot send one another int8.
        """
        if self.scheme == "none":
            return None
        if task not in self._masks.small:
            self._masks.small[task] = _variable(self._small_factors(task, shape))
        return self._masks.small[task]

    def _small_factors(self, task: str, shape: Sequence[int]) -> npt.NDArray[np.int8]:
        factors = np.nan_to_num(self._masks.by_task[task].numpy(), nan=0.0)
        return np.broadcast_to(factors, shape).astype(np.int8)

    def ordered(self, stored: tf.Tensor, task: str) -> tf.Tensor:
        """What :meth:`keyed` multiplies: stored values in the task's order of channels."""
        if self.scheme != "permute":
            return stored
        rows, columns = self._masks.orders[task]
        return tf.gather(tf.gather(stored, rows, axis=-2), columns, axis=-1)

    def stored(self, keyed: tf.Tensor, task: str) -> tf.Tensor:
        """What is stored for the task to make ``keyed`` of it: the inverse of :meth:`keyed`."""
        if self.scheme == "none":
            return keyed
        keyed = keyed * self._masks.by_task[task]
        if self.scheme == "permute":
            rows, columns = (tf.argsort(order) for order in self._masks.orders[task])
            keyed = tf.gather(tf.gather(keyed, rows, axis=-2), columns, axis=-1)
        return keyed

    def get_config(self) -> dict[str, Any]:
        """Names and scheme; keys are never part of it."""
        return {**super().get_config(), "tasks": list(self.tasks), "scheme": self.scheme}


def _variable(first: npt.NDArray[Any]) -> tf.Variable:
    return tf.Variable(first, trainable=False)
