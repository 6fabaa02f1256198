"""A task in Keras: as binarized, with a gradient to its inputs, and with latent weights."""

from __future__ import annotations

from typing import Any

import numpy as np

from rbnn.nets.framework import tf
from rbnn.runs.run import Run
from rbnn.tasks.dataset import Images, Labels
from rbnn.train.evaluate import predict
from rbnn.train.statistics import Statistics
from rbnn.train.transfer import load_network


class KerasPath:
    """One way in which Keras computes a run.

    Args:
        run: trained.
        latent: with the latent values in place of their signs. Their batch norms are then measured
            again with ``images``, for latent values are smaller than 1.
    """

    def __init__(self, run: Run, *, latent: bool = False) -> None:
        self._network = load_network(run)
        self._latent = latent
        for layer in self._network.shared.values():
            layer.kernel_quantizer.latent = latent

    def prepare(self, task: str, images: Images) -> None:
        """Measure the batch norms of the latent path; of the binarized one they are as trained."""
        if self._latent:
            Statistics(self._network, task).measure(images)

    def classes(self, task: str, images: Images) -> Labels:
        """Class numbers; arguments as for :func:`rbnn.train.evaluate.predict`."""
        return predict(self._network, task, images)

    def differentiable(self, task: str) -> Any:
        """A function from float pixels, 0 to 255, (n, height, width, channels), to logits; the
        gradient goes through the signs as in training.

        It computes as training does, in half the time: without the integers' roundings in float64.
        Batch norms that cannot be trained use what was measured for inference."""
        model = self._network.models[task]
        for norm in self._network.own[task].norms.values():
            norm.trainable = False
        adapter = model.get_layer(f"{task}_input")
        rest = tf.keras.Model(adapter.output, model.output)

        def logits(pixels: Any) -> Any:
            return rest(adapter(pixels), training=True)

        return logits


def agreement(first: Labels, second: Labels) -> float:
    """Share of the samples for which both give the same class."""
    return float(np.mean(first == second))
