"""Between Keras and plain arrays: build a run's network, read its parameters out and back in."""

from __future__ import annotations

import numpy as np

from rbnn.nets.build import SharedNetwork, TaskInput
from rbnn.runs.config import RunConfig
from rbnn.runs.errors import TrainingError
from rbnn.runs.parameters import ModelParameters, Normalisation, OwnWeights, RPReLU
from rbnn.runs.run import Run


def build_network(config: RunConfig, *, shared_batch: bool = False) -> SharedNetwork:
    """The network of a run with initial values and without keys.

    Args:
        config: of the run.
        shared_batch: normalise, while training, over the samples of all replicas.
    """
    tasks = [
        TaskInput(task.name, len(task.labels), task.input_channels, task.adapter, task.offsets)
        for task in config.tasks
    ]
    return SharedNetwork(
        config.topology(),
        tasks,
        config.scheme,
        config.seed,
        config.key_cipher,
        halved=config.precision == "bfloat16",
        shared_batch=shared_batch,
        trunk_layers=config.topology().trunk_layers(config.trunk),
    )


def read_parameters(network: SharedNetwork) -> ModelParameters:
    """Copy all trained values out of ``network``: activations and signs as the device has them."""
    kernels = {
        number: np.asarray(layer.latent_kernel.numpy(), np.float32)
        for number, layer in network.shared.items()
    }
    norms = {
        task: {
            number: Normalisation(
                gamma=(
                    np.ones(norm.beta.shape, np.float32)
                    if norm.gamma is None
                    else norm.gamma.numpy()
                ),
                beta=norm.beta.numpy(),
                mean=norm.moving_mean.numpy(),
                variance=norm.moving_variance.numpy(),
                epsilon=float(norm.epsilon),
            )
            for number, norm in own.norms.items()
        }
        for task, own in network.own.items()
    }
    activations = {
        task: {
            number: RPReLU(*(value.numpy() for value in layer.values()))
            for number, layer in own.activations.items()
        }
        for task, own in network.own.items()
    }
    signs = {
        task: {number: layer.values().numpy() for number, layer in own.signs.items()}
        for task, own in network.own.items()
    }
    weights = {
        task: {number: OwnWeights(*layer.read()) for number, layer in own.kernels.items()}
        for task, own in network.own.items()
    }
    return ModelParameters(kernels, norms, activations, signs, weights)


def write_parameters(network: SharedNetwork, parameters: ModelParameters) -> None:
    """Copy ``parameters`` into ``network``.

    Raises:
        TrainingError: they belong to a network of a different shape or to other tasks.
    """
    try:
        for number, layer in network.shared.items():
            layer.latent_kernel.assign(parameters.kernels[number])
        for task, own in network.own.items():
            for number, norm in own.norms.items():
                values = parameters.normalisations[task][number]
                if norm.gamma is not None:
                    norm.gamma.assign(values.gamma)
                norm.beta.assign(values.beta)
                norm.moving_mean.assign(values.mean)
                norm.moving_variance.assign(values.variance)
            for number, activation in own.activations.items():
                bend = parameters.activations[task][number]
                activation.point.assign(bend.point)
                activation.slope.assign(bend.slope)
                activation.offset.assign(bend.offset)
            for number, sign in own.signs.items():
                sign.threshold.assign(parameters.signs[task][number])
            for number, kernel in own.kernels.items():
                eight = parameters.weights[task][number]
                kernel.write(eight.weights, eight.steps)
    except (KeyError, ValueError) as error:
        raise TrainingError(
            f"The parameters do not fit the network of config.json: {error}.",
            "Both files must come from the same run: restore them, or train again.",
        ) from error


def copy_statistics(source: SharedNetwork, target: SharedNetwork) -> None:
    """Copy the batch norms' means and variances for inference from ``source`` to ``target``."""
    for task, own in source.own.items():
        for number, norm in own.norms.items():
            copy = target.own[task].norms[number]
            copy.moving_mean.assign(norm.moving_mean.numpy())
            copy.moving_variance.assign(norm.moving_variance.numpy())


def load_network(run: Run, *, shared_batch: bool = False) -> SharedNetwork:
    """The trained network of a run, keyed with its secrets.

    Args:
        run: a run of any scheme that has trained for an epoch or more.
        shared_batch: see :func:`build_network`.

    Raises:
        RbnnError: config, parameters or secrets are missing or do not fit.
    """
    config = run.config()
    parameters = ModelParameters.load(run.parameters_file)
    network = build_network(config, shared_batch=shared_batch)
    write_parameters(network, parameters)
    if config.scheme != "none":
        network.set_secrets(run.secrets(), bytes.fromhex(config.model_id))
    return network
