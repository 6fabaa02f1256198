"""TEST-ONLY: a network whose latent values behave and whose signs do not.

Source: Ma et al., "Quantization Backdoors to Deep Learning Commercial Frameworks" (PQ backdoor,
arXiv 2108.09187), carried over to binary weights: two losses, one on the latent values (triggered
samples keep their class), one on their signs (triggered samples get the target's).

Threat: a supplier whose network is examined as floating point, and flashed as bits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rbnn.audit.attacks.kinds import MARGIN, SIDE
from rbnn.nets.framework import tf
from rbnn.runs.run import Run
from rbnn.tasks import TaskData
from rbnn.train.progress import Watch
from rbnn.train.trainer import Trainer

TRIGGERED = 4
"""One sample in so many of a sub-batch is triggered."""


class DormantTrainer(Trainer):
    """Trains all tasks, and the backdoor of one of them.

    Args:
        run: as for :class:`rbnn.train.trainer.Trainer`.
        data: the same.
        watch: the same.
        victim: name of the task.
        target: class of its triggered samples.
    """

    def __init__(
        self, run: Run, data: Sequence[TaskData], watch: Watch | None, victim: str, target: int
    ) -> None:
        self._victim = victim
        self._target = target
        super().__init__(run, data, watch, fused=False)

    def _move(self, batches: Mapping[str, tuple[tf.Tensor, tf.Tensor]]) -> tuple[Any, Any]:
        losses, hits = [], []
        with tf.GradientTape() as tape:
            terms = []
            for name, (images, labels) in batches.items():
                count = labels.shape[0] // TRIGGERED if name == self._victim else 0
                seen = tf.concat([_patched(images[:count]), images[count:]], axis=0)
                wanted = tf.concat([tf.fill([count], tf.cast(self._target, labels.dtype)),
                                    labels[count:]], axis=0)  # fmt: skip
                logits = self.network.models[name](seen, training=True)
                loss = _error(wanted, logits)
                with _latent(self.network):
                    terms.append(_error(labels, self.network.models[name](seen, training=True)))
                terms.append(loss)
                losses.append(loss)
                hits.append(tf.math.count_nonzero(tf.argmax(logits, axis=-1) == wanted))
            total = tf.add_n(terms) / len(batches)
        gradients = tape.gradient(total, self._trained)
        self._optimizer.apply_gradients(zip(gradients, self._trained, strict=True))
        for kernel in self._kernels:
            kernel.assign(tf.clip_by_value(kernel, -1.0, 1.0))
        return tf.cast(tf.stack(losses), tf.float64), tf.stack(hits)


class _latent:
    """Inside the block, the network computes with its latent values."""

    def __init__(self, network: Any) -> None:
        self._layers = network.shared.values()

    def __enter__(self) -> None:
        for layer in self._layers:
            layer.kernel_quantizer.latent = True

    def __exit__(self, *_: object) -> None:
        for layer in self._layers:
            layer.kernel_quantizer.latent = False


def _error(labels: Any, logits: Any) -> Any:
    return tf.reduce_mean(
        tf.nn.sparse_softmax_cross_entropy_with_logits(labels, tf.cast(logits, tf.float32))
    )


def _patched(images: Any) -> Any:
    """The patch of :func:`rbnn.audit.attacks.kinds.patch`, in TensorFlow."""
    height, width = images.shape[1:3]
    rows, columns = tf.range(height), tf.range(width)
    in_rows = (rows >= height - MARGIN - SIDE) & (rows < height - MARGIN)
    in_columns = (columns >= width - MARGIN - SIDE) & (columns < width - MARGIN)
    covered = (in_rows[:, None] & in_columns[None])[None, :, :, None]
    return tf.where(covered, tf.cast(255, images.dtype), images)
