"""Batch norm's means and variances for inference, measured on the training set.

The moving averages of training lag behind kernels whose signs flip, and they see augmented images.
So after each epoch every task's training images (evenly spaced, at most ``SAMPLES``) pass through
its network in training mode, and what each batch norm saw is averaged.

Source: Wu and Johnson, "Rethinking Batch in BatchNorm", arXiv 2105.07576 (precise statistics).
"""

from __future__ import annotations

import numpy as np

from rbnn.nets.build import SharedNetwork
from rbnn.nets.build_layers import BATCH_NORM_MOMENTUM
from rbnn.nets.framework import tf
from rbnn.tasks.dataset import Images

SAMPLES = 2048
BATCH = 512


class Statistics:
    """Measures the statistics of one task of ``network``.

    Args:
        network: keyed.
        task: name of the task.
    """

    def __init__(self, network: SharedNetwork, task: str) -> None:
        self._model = network.models[task]
        self._norms = list(network.own[task].norms.values())
        self._forward = tf.function(self._run, reduce_retracing=True)

    def _run(self, images: tf.Tensor) -> None:
        # Momentum is read while the function is traced: with 0, each batch replaces the average.
        for norm in self._norms:
            norm.momentum = 0.0
        self._model(images, training=True)
        for norm in self._norms:
            norm.momentum = BATCH_NORM_MOMENTUM

    def measure(self, images: Images) -> None:
        """Set the task's means and variances.

        Args:
            images: training images, (n, height, width, c) uint8, not augmented.
        """
        chosen = np.linspace(0, len(images) - 1, min(SAMPLES, len(images))).astype(np.int64)
        parts = np.array_split(chosen, -(-len(chosen) // BATCH))
        seen = []
        for part in parts:
            self._forward(tf.constant(images[part]))
            seen.append(
                [(norm.moving_mean.numpy(), norm.moving_variance.numpy()) for norm in self._norms]
            )
        weights = np.array([len(part) for part in parts]) / len(chosen)
        for number, norm in enumerate(self._norms):
            means = np.array([batch[number][0] for batch in seen], np.float64)
            variances = np.array([batch[number][1] for batch in seen], np.float64)
            mean = weights @ means
            norm.moving_mean.assign(mean)
            norm.moving_variance.assign(weights @ (variances + (means - mean) ** 2))
