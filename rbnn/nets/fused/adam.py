"""Keras' Adam for all variables at once, with the clipping of the latent kernels."""

from __future__ import annotations

from collections.abc import Sequence

from rbnn.nets.framework import tf
from rbnn.nets.fused.library import operations, threads


def apply_gradients(
    optimizer: tf.keras.optimizers.Adam,
    gradients: Sequence[tf.Tensor],
    variables: Sequence[tf.Variable],
    clipped: int,
) -> None:
    """Take the optimizer's step; its own variables move as if it had taken it itself.

    Args:
        optimizer: built for ``variables``, in this order, with nothing but rates and epsilon set.
        gradients: of the variables.
        variables: float32.
        clipped: so many first ones are clipped to [-1, 1].
    """
    step = tf.cast(optimizer.iterations + 1, tf.float32)
    first, second = float(optimizer.beta_1), float(optimizer.beta_2)
    size = (
        tf.cast(optimizer.learning_rate, tf.float32)
        * tf.sqrt(1 - tf.pow(second, step))
        / (1 - tf.pow(first, step))
    )
    momentums, velocities = optimizer._momentums, optimizer._velocities
    made = operations().rbnn_adam(
        rates=tf.stack([1 - first, 1 - second, size, optimizer.epsilon]),
        values=[tf.convert_to_tensor(variable) for variable in variables],
        gradients=[tf.convert_to_tensor(gradient) for gradient in gradients],
        momentums=[tf.convert_to_tensor(momentum) for momentum in momentums],
        velocities=[tf.convert_to_tensor(velocity) for velocity in velocities],
        threads=threads(),
        clipped=clipped,
    )
    for targets, values in (
        (variables, made.new_values),
        (momentums, made.new_momentums),
        (velocities, made.new_velocities),
    ):
        for target, value in zip(targets, values, strict=True):
            value.set_shape(target.shape)
            target.assign(value)
    optimizer.iterations.assign_add(1)
