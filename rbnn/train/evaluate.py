"""Accuracy of a trained network, with the right secrets and with wrong ones.

A wrong secret is forced past the gate: the stored bits are reconfigured with a random secret and
run with the task's own batch norms, which an attacker would not have either.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, computed_field

from rbnn.nets.build import SharedNetwork
from rbnn.spec.stream import SECRET_BYTES
from rbnn.tasks.dataset import Images, Labels, Split

BATCH = 500
MEAN_MARGIN = 0.01
MAX_MARGIN = 0.05


def predict_logits(network: SharedNetwork, task: str, images: Images) -> npt.NDArray[np.float32]:
    """Logits of a keyed network.

    Args:
        network: with the secret of ``task`` set.
        task: name of the task.
        images: (n, height, width, c) uint8.

    Returns:
        (n, classes) float32.
    """
    model = network.models[task]
    return np.asarray(model.predict(images, batch_size=BATCH, verbose=0), np.float32)


def predict(network: SharedNetwork, task: str, images: Images) -> Labels:
    """Class numbers, (n,) int64; arguments as :func:`predict_logits`.

    Raises:
        ValueError: the network has no key for the task.
    """
    logits = predict_logits(network, task, images)
    if np.isnan(logits).any():
        raise ValueError(f"The network computes NaN: it has no key for this task. Received: {task}")
    return np.asarray(logits.argmax(axis=-1), np.int64)


def accuracy(network: SharedNetwork, task: str, split: Split) -> float:
    """Share of the samples whose class is predicted right."""
    return float(np.mean(predict(network, task, split.images) == split.labels))


class Chance(BaseModel):
    """What guessing reaches: from one in ``classes`` to the share of the largest class."""

    model_config = ConfigDict(frozen=True)

    low: float
    high: float


def chance_of(split: Split, classes: int) -> Chance:
    """Chance on ``split``."""
    largest = np.bincount(split.labels, minlength=classes).max() / len(split)
    return Chance(low=1 / classes, high=max(float(largest), 1 / classes))


class WrongSecrets(BaseModel):
    """Accuracies (shares of 1) with wrong secrets forced past the gate.

    ``passed``: their mean is within 1 point of chance and none is more than 5 points above it.
    """

    model_config = ConfigDict(frozen=True)

    accuracies: tuple[float, ...]
    chance: Chance

    @computed_field  # type: ignore[prop-decorator]
    @property
    def mean(self) -> float:
        """Their mean."""
        return float(np.mean(self.accuracies))

    @computed_field  # type: ignore[prop-decorator]
    @property
    def highest(self) -> float:
        """The best of them."""
        return max(self.accuracies)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def passed(self) -> bool:
        """Whether a wrong secret is worth no more than guessing."""
        return (
            self.chance.low - MEAN_MARGIN <= self.mean <= self.chance.high + MEAN_MARGIN
            and self.highest <= self.chance.high + MAX_MARGIN
        )


def try_wrong_secrets(
    network: SharedNetwork,
    task: str,
    split: Split,
    model_id: bytes,
    count: int,
    random_bytes: Callable[[int], bytes] = os.urandom,
    tried: Callable[[int], None] | None = None,
) -> WrongSecrets:
    """Measure ``task`` under ``count`` random secrets; the network keeps the last one.

    Args:
        network: with the trained parameters.
        task: name of the task.
        split: samples to measure on.
        model_id: 16 bytes.
        count: secrets to try, 1 or more.
        random_bytes: where the secrets come from; tests want a reproducible source.
        tried: called after each secret with the number tried.
    """
    accuracies = []
    for number in range(1, count + 1):
        network.set_secrets({task: random_bytes(SECRET_BYTES)}, model_id)
        accuracies.append(accuracy(network, task, split))
        if tried:
            tried(number)
    classes = network.models[task].output_shape[-1]
    return WrongSecrets(accuracies=tuple(accuracies), chance=chance_of(split, classes))
