"""The published set of each task that is downloaded."""

from __future__ import annotations

from rbnn.tasks.sets import cifar, emnist, fsdd, gtsrb, mnist, speech_commands
from rbnn.tasks.sets.published import Published


def published(name: str) -> Published:
    """The published set of a task whose supply is ``download``."""
    return {
        "cifar": cifar.SET,
        "kws": speech_commands.SET,
        "gtsrb": gtsrb.SET,
        "fashion": mnist.FASHION,
        "mnist": mnist.MNIST,
        "emnist": emnist.SET,
        "fsdd": fsdd.SET,
    }[name]
