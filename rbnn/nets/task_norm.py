"""Batch norm of one task, whose statistics may be those of a batch that several replicas share.

Source: Ioffe and Szegedy, "Batch Normalization", ICML 2015, algorithm 1.
"""

from __future__ import annotations

from typing import Any

from rbnn.nets.framework import lq, tf


@lq.utils.register_keras_custom_object
class TaskNorm(tf.keras.layers.BatchNormalization):  # type: ignore[misc]
    """Keras' batch norm, or one over the samples of all replicas.

    Args:
        shared_batch: while training, normalise with the mean and variance of all replicas' samples,
            and leave the moving averages alone.
        kwargs: arguments of ``BatchNormalization``.

    Input shape: (batch, ..., channels). Output shape: the same.
    """

    def __init__(self, shared_batch: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.shared_batch = shared_batch

    def call(self, inputs: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        """Normalise."""
        if not (training and self.shared_batch):
            return super().call(inputs, training=training)
        mean, variance = shared_moments(inputs)
        return tf.nn.batch_normalization(
            inputs, mean, variance, self.beta, self.gamma, self.epsilon
        )

    def get_config(self) -> dict[str, Any]:
        """Arguments of the constructor."""
        return {**super().get_config(), "shared_batch": self.shared_batch}


def shared_moments(values: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Mean and variance by channel over the samples of all replicas.

    The sums of binary convolutions are integers, and many lie at their mean, where a sign changes:
    they must be added exactly, or a network would depend on how its batch was divided.

    Args:
        values: (samples of this replica, ..., channels) float32; replicas may differ in number.

    Returns:
        (channels,) float32 each.
    """
    spatial = list(range(1, len(values.shape) - 1))
    count = tf.cast(tf.size(values) / values.shape[-1], tf.float64)
    sums, squares = (
        tf.reduce_sum(tf.cast(tf.reduce_sum(powers, spatial), tf.float64), 0)
        for powers in (values, tf.square(values))
    )
    # One message for all three: there are many norms, and each waits for the slowest replica.
    added = tf.distribute.get_replica_context().all_reduce(
        tf.distribute.ReduceOp.SUM, tf.concat([sums, squares, [count]], 0)
    )
    mean, square = tf.split(added[:-1] / added[-1], 2)
    return tf.cast(mean, tf.float32), tf.cast(square - tf.square(mean), tf.float32)
