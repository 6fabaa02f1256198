"""Initial values of a shared network: the keyed sum of the single-task networks.

Each latent value is the sum of what every task would store there under its key; its sign is the
majority of their bits, weighted by task and by how far training drove each of them. A share
``1/2 + C(M - 1, floor((M - 1) / 2)) / 2**M`` of a task's weights is then right (M odd, equal
weights: 66 % with seven tasks). Such a network does not work yet, but it is a far better start than
random values.

Source: Cheung et al., "Superposition of many models into one", NeurIPS 2019, arXiv 1902.05522,
section 2 (binary superposition), there to store trained models, here as a start.
"""

from __future__ import annotations

from collections.abc import Mapping

from rbnn.nets.build import SharedNetwork
from rbnn.nets.build_layers import TaskLayers
from rbnn.nets.framework import tf
from rbnn.runs.errors import TrainingError

SPREAD = 0.1
"""Root mean square of a layer's initial latent values; training keeps them in [-1, 1]."""


def superpose(
    network: SharedNetwork,
    own: Mapping[str, SharedNetwork],
    weights: Mapping[str, float] | None = None,
) -> None:
    """Give ``network`` the keyed sum of the single-task networks as its initial values.

    Args:
        network: keyed, with its initial values, which stay where the tasks' values cancel.
        own: trained single-task network by task; it has the layers of ``network``, except that the
            last one has only the task's classes.
        weights: by task, factor of its values in the sum; 1 if it is not named.

    Raises:
        TrainingError: one does not have the shape of ``network``.
    """
    factors = weights or {}
    for number, shared in network.shared.items():
        quantizer, first = shared.kernel_quantizer, shared.latent_kernel
        total = tf.zeros_like(first)
        for task, trained in own.items():
            latent = trained.shared[number].task_latent(task) if number in trained.shared else None
            if latent is None or not _fits(latent.shape, first.shape):
                raise TrainingError(
                    f"The single-task network of {task} and the shared network differ in shape.",
                    "Train both with the same --arch, --width, --depth and --stages.",
                )
            missing = first.shape[-1] - latent.shape[-1]
            padded = tf.pad(latent, [[0, 0]] * (len(first.shape) - 1) + [[0, missing]])
            total += factors.get(task, 1.0) * quantizer.stored(padded, task)
        spread = tf.sqrt(tf.reduce_mean(total**2))
        scaled = tf.clip_by_value(tf.math.divide_no_nan(total * SPREAD, spread), -1.0, 1.0)
        first.assign(tf.where(total == 0, first, scaled))
    for task, trained in own.items():
        _copy(trained.own[task], network.own[task])


def _fits(shape: tf.TensorShape, whole: tf.TensorShape) -> bool:
    """Whether the shapes are equal, except that the first may have fewer outputs."""
    return bool(shape[:-1] == whole[:-1] and shape[-1] <= whole[-1])


def _copy(source: TaskLayers, target: TaskLayers) -> None:
    """Copy the values of a task's layers, channels last; outputs beyond its classes stay."""
    for theirs, mine in zip(source.trainable_variables, target.trainable_variables, strict=True):
        mine.assign(tf.concat([theirs, mine[..., theirs.shape[-1] :]], axis=-1))
