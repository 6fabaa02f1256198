"""Batch norm's means and variances for inference, measured on the training set.

The moving averages of training lag behind kernels whose signs flip, and they see augmented images.
So after each epoch every task's training images (evenly spaced, at most ``SAMPLES``) pass through
its network in training mode, and what each batch norm saw is averaged.

Source: Wu and Johnson, "Rethinking Batch in BatchNorm", arXiv 2105.07576 (precise statistics).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from rbnn.nets.build import SharedNetwork
from rbnn.nets.build_layers import BATCH_NORM_MOMENTUM
from rbnn.nets.framework import tf

SAMPLES = 2048
BATCH = 512


class ModelStatistics:
    """Measures the statistics of a Keras model's batch norms.

    Args:
        model: takes images.
        norms: its batch norms.
        momentum: of their moving averages while it is trained.
    """

    def __init__(self, model: Any, norms: Sequence[Any], momentum: float) -> None:
        self._model = model
        self._norms = norms
        self._momentum = momentum
        self._forward = tf.function(self._run, reduce_retracing=True, autograph=False)

    def _run(self, images: tf.Tensor) -> None:
        # Momentum is read while the function is traced: with 0, each batch replaces the average.
        for norm in self._norms:
            norm.momentum = 0.0
        self._model(images, training=True)
        for norm in self._norms:
            norm.momentum = self._momentum

    def measure(self, images: npt.NDArray[Any]) -> None:
        """Set the means and variances.

        Args:
            images: training images, (n, height, width, c), as the model takes them; not augmented.
        """
        chosen = np.linspace(0, len(images) - 1, min(SAMPLES, len(images))).astype(np.int64)
        parts = np.array_split(chosen, -(-len(chosen) // BATCH))
        # To trace a graph takes longer than one batch.
        forward = self._forward if len(parts) > 1 else self._run
        seen = []
        for part in parts:
            forward(tf.constant(images[part]))
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


class Statistics(ModelStatistics):
    """Measures the statistics of one task of ``network``.

    Args:
        network: keyed.
        task: name of the task.
    """

    def __init__(self, network: SharedNetwork, task: str) -> None:
        norms = list(network.own[task].norms.values())
        super().__init__(network.models[task], norms, BATCH_NORM_MOMENTUM)
