"""Accuracy of a trained network, with the right secrets and with wrong ones.

A wrong secret is forced past the gate: the stored bits are reconfigured with a random secret and
run with the task's own batch norms, which an attacker would not have either.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt
from pydantic import computed_field

from rbnn.frozen import Frozen
from rbnn.spec.key_stream import SECRET_BYTES
from rbnn.tasks.dataset import Images, Labels, Split

if TYPE_CHECKING:  # TensorFlow takes seconds to import, and integers do not need it.
    from rbnn.nets.build import SharedNetwork

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
    # Not before it is needed: TensorFlow takes seconds to import.
    from rbnn.nets.framework import tf

    model = network.models[task]
    if len(images) <= BATCH:  # To trace a graph takes longer than one batch.
        return np.asarray(model(tf.constant(images), training=False), np.float32)
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


class Predictor(Protocol):
    """What predicts the classes of images: Keras, or the integers of an export."""

    def __call__(self, task: str, images: Images, forced: bytes | None = None) -> Labels:
        """Class numbers, (n,) int64.

        Args:
            task: its name.
            images: (n, height, width, c) uint8.
            forced: a secret to reconfigure with instead of the task's own, 32 bytes.
        """


def keras_predictor(
    network: SharedNetwork, secrets: Mapping[str, bytes], model_id: bytes
) -> Predictor:
    """A network as it was trained.

    Args:
        network: keyed with ``secrets``; every call leaves it so.
        secrets: by task name, 32 bytes each; none for a network without keys.
        model_id: 16 bytes.
    """

    def classes(task: str, images: Images, forced: bytes | None = None) -> Labels:
        if forced is None:
            return predict(network, task, images)
        network.set_secrets({task: forced}, model_id)  # does not give the trunk's key either
        try:
            return predict(network, task, images)
        finally:
            network.set_secrets(secrets, model_id, [task])

    return classes


def some(split: Split, count: int) -> Split:
    """Evenly spaced samples of ``split``, ``count`` at most."""
    if len(split) <= count:
        return split
    chosen = np.linspace(0, len(split) - 1, count).astype(np.int64)
    return Split(split.images[chosen], split.labels[chosen])


def accuracy(network: SharedNetwork, task: str, split: Split) -> float:
    """Share of the samples whose class is predicted correctly."""
    return float(np.mean(predict(network, task, split.images) == split.labels))


class Chance(Frozen):
    """What always the same answer reaches: from the smallest class's share to the largest's."""

    low: float
    high: float


def chance_of(split: Split, classes: int) -> Chance:
    """Chance on ``split``."""
    shares = np.bincount(split.labels, minlength=classes) / len(split)
    return Chance(low=float(shares.min()), high=float(shares.max()))


class WrongSecrets(Frozen):
    """Accuracies (shares of 1) with wrong secrets forced past the gate.

    They are at chance when their mean is within 1 point of it, below as well as above, and none is
    more than 5 points above it. A mean below chance fails too: answers that avoid the right class
    know it.
    """

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
    def mean_from(self) -> float:
        """The least mean that is at chance."""
        return max(0.0, self.chance.low - MEAN_MARGIN)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def mean_to(self) -> float:
        """The largest mean that is at chance."""
        return self.chance.high + MEAN_MARGIN

    @computed_field  # type: ignore[prop-decorator]
    @property
    def highest_to(self) -> float:
        """What none may exceed."""
        return self.chance.high + MAX_MARGIN

    @computed_field  # type: ignore[prop-decorator]
    @property
    def failures(self) -> tuple[str, ...]:
        """The parts of the rule that do not hold, in words; empty at chance."""
        found = []
        if self.mean < self.mean_from:
            found.append("mean below chance")
        if self.mean > self.mean_to:
            found.append("mean above chance")
        if self.highest > self.highest_to:
            found.append("highest above chance")
        return tuple(found)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def passed(self) -> bool:
        """Whether a wrong secret does no better and no worse than guessing."""
        return not self.failures

    @property
    def verdict(self) -> str:
        """``at chance``, or what failed."""
        return "at chance" if self.passed else f"FAILED: {', '.join(self.failures)}"


def try_wrong_secrets(
    predictor: Predictor,
    task: str,
    split: Split,
    classes: int,
    count: int,
    random_bytes: Callable[[int], bytes] = os.urandom,
    tried: Callable[[int], None] | None = None,
) -> WrongSecrets:
    """Measure ``task`` under ``count`` random secrets.

    Args:
        predictor: computes the classes.
        task: name of the task.
        split: samples to measure on.
        classes: of the task.
        count: secrets to try, 1 or more.
        random_bytes: where the secrets come from; tests want a reproducible source.
        tried: called after each secret with the number tried.
    """
    accuracies = []
    for number in range(1, count + 1):
        found = predictor(task, split.images, random_bytes(SECRET_BYTES))
        accuracies.append(float(np.mean(found == split.labels)))
        if tried:
            tried(number)
    return WrongSecrets(accuracies=tuple(accuracies), chance=chance_of(split, classes))
