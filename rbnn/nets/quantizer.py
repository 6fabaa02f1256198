"""The kernel quantizer that turns the shared latent kernel into one task's binary kernel.

Forward: ``sign(latent) * mask_t`` with ``sign(0) = +1`` and ``mask_t = 1 - 2 * key bit``; since
the stored bit is ``P = (latent >= 0)``, this is ``2 * (P xor K_t) - 1``, the very weights that the
device computes with. Backward: the gradient goes through the same factors and the straight-through
estimator to the latent kernel.

Keras does not track the masks: no checkpoint, config or saved model holds them. Until a task has
its key, its kernel is NaN, so that a network without a key never looks like one that works.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from rbnn.errors import RbnnError
from rbnn.nets.framework import lq, tf
from rbnn.spec.packing import Bits

SCHEMES = ("xor", "none")
"""``xor``: one key bit per weight. ``none``: no key, all tasks compute with the same weights."""


class KeyMasks:
    """Factors -1 and +1 of one kernel by task, out of Keras' sight: not tracked, not saved."""

    def __init__(self) -> None:
        self.by_task: dict[str, tf.Variable] = {}
        self.active: str | None = None


@lq.utils.register_keras_custom_object
class KeyedSign(lq.quantizers.Quantizer):  # type: ignore[misc]
    """Binary quantizer with one key stream per task.

    Args:
        tasks: names of the tasks that share the kernel.
        scheme: one of ``SCHEMES``.

    Input shape: any. Output shape: the same; values -1 and +1.

    Source: DESIGN section 3; Hubara et al., NeurIPS 2016 (straight-through estimator).
    """

    precision = 1

    def __init__(self, tasks: Sequence[str], scheme: str = "xor", **kwargs: Any) -> None:
        if scheme not in SCHEMES:
            raise RbnnError(
                f"Unknown scheme {scheme!r}.", f"This version knows: {', '.join(SCHEMES)}."
            )
        super().__init__(**kwargs)
        self.tasks = tuple(tasks)
        self.scheme = scheme
        self._masks = KeyMasks()

    def build(self, input_shape: Any) -> None:
        """Make room for one mask per task, without a key yet."""
        if self.scheme == "xor":
            shape = tuple(tf.TensorShape(input_shape).as_list())
            for task in self.tasks:
                self._masks.by_task[task] = tf.Variable(
                    np.full(shape, np.nan, np.float32), trainable=False
                )
        super().build(input_shape)

    def set_key(self, task: str, bits: Bits) -> None:
        """Give the task its key bits in place of those it had.

        Args:
            task: one of ``tasks``.
            bits: bool array of the kernel's shape, True where the stored weight is negated.

        Raises:
            ValueError: no such task, or the scheme takes no key.
        """
        if task not in self._masks.by_task:
            raise ValueError(f"No key for this task under scheme {self.scheme}. Received: {task}")
        self._masks.by_task[task].assign(np.where(bits, np.float32(-1), np.float32(1)))

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
        stored = lq.quantizers.ste_sign(inputs)
        task = self._masks.active
        if self.scheme == "none" or task is None:
            return stored
        return stored * self._masks.by_task[task]

    def get_config(self) -> dict[str, Any]:
        """Names and scheme; keys are never part of it."""
        return {**super().get_config(), "tasks": list(self.tasks), "scheme": self.scheme}
