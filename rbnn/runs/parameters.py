"""What training leaves behind for export: latent kernels, and what each task has for itself."""

from __future__ import annotations

import io
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from rbnn.errors import RbnnError
from rbnn.files import PRIVATE, write_atomic

Array = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Normalisation:
    """Batch norm of one layer for one task, at inference.

    ``y -> gamma * (y - mean) / sqrt(variance + epsilon) + beta``; each array has one float32 entry
    per channel. ``y`` is the +-1 sum. ``gamma`` is 1 in front of a sign (stage THRESHOLD), so that
    a larger sum is never a smaller bit; in a residual stage it is free.
    """

    gamma: Array
    beta: Array
    mean: Array
    variance: Array
    epsilon: float


@dataclass(frozen=True)
class RPReLU:
    """Activation of one residual stage for one task; one float32 entry per channel each.

    ``d = x - point; offset + (d if d >= 0 else slope * d)``.

    Source: Liu et al., "ReActNet", ECCV 2020, equation 5.
    """

    point: Array
    slope: Array
    offset: Array


@dataclass(frozen=True)
class OwnWeights:
    """8-bit weights of one layer for one task.

    Args:
        weights: in Keras' order, -127 to 127.
        steps: (filters,); what one unit of the weights was worth in training.
    """

    weights: npt.NDArray[np.int8]
    steps: Array


@dataclass(frozen=True)
class ModelParameters:
    """All trained values of a run.

    Args:
        kernels: latent kernel of each layer that has bits, by layer number, in Keras' order,
            float32. Stored bit P = 1 where the latent value is >= 0.
        normalisations: by task name, then by layer number; every layer that has weights has one.
        activations: by task name, then by number of the layer whose stage has RPReLU.
        signs: by task name, then by number of the layer whose stage has sign THRESHOLDS (RSign):
            float32, one per channel; the layer's bit is 1 where its stream is >= this.
        weights: by task name, then by number of the layer that has 8-bit weights.
    """

    kernels: Mapping[int, Array]
    normalisations: Mapping[str, Mapping[int, Normalisation]]
    activations: Mapping[str, Mapping[int, RPReLU]] = field(default_factory=dict)
    signs: Mapping[str, Mapping[int, Array]] = field(default_factory=dict)
    weights: Mapping[str, Mapping[int, OwnWeights]] = field(default_factory=dict)

    def save(self, path: Path) -> None:
        """Write one ``.npz`` file, whole or not at all."""
        arrays: dict[str, npt.NDArray[np.generic]] = {
            f"kernel/{layer}": kernel for layer, kernel in self.kernels.items()
        }
        for task, layers in self.normalisations.items():
            for layer, norm in layers.items():
                prefix = f"norm/{task}/{layer}"
                arrays[f"{prefix}/gamma"] = norm.gamma
                arrays[f"{prefix}/beta"] = norm.beta
                arrays[f"{prefix}/mean"] = norm.mean
                arrays[f"{prefix}/variance"] = norm.variance
                arrays[f"{prefix}/epsilon"] = np.asarray(norm.epsilon, np.float64)
        for task, activations in self.activations.items():
            for layer, activation in activations.items():
                prefix = f"rprelu/{task}/{layer}"
                arrays[f"{prefix}/point"] = activation.point
                arrays[f"{prefix}/slope"] = activation.slope
                arrays[f"{prefix}/offset"] = activation.offset
        for task, signs in self.signs.items():
            for layer, thresholds in signs.items():
                arrays[f"rsign/{task}/{layer}/threshold"] = thresholds
        for task, weights in self.weights.items():
            for layer, own in weights.items():
                arrays[f"weights/{task}/{layer}/weights"] = own.weights
                arrays[f"weights/{task}/{layer}/steps"] = own.steps
        buffer = io.BytesIO()
        np.savez(buffer, **arrays)
        write_atomic(path, buffer.getvalue(), mode=PRIVATE)

    @classmethod
    def load(cls, path: Path) -> ModelParameters:
        """Read what :meth:`save` wrote.

        Raises:
            RbnnError: the file is missing or is not such a file.
        """
        kernels: dict[int, Array] = {}
        norms: dict[str, dict[int, Normalisation]] = {}
        activations: dict[str, dict[int, RPReLU]] = {}
        signs: dict[str, dict[int, Array]] = {}
        weights: dict[str, dict[int, OwnWeights]] = {}
        try:
            with np.load(path, allow_pickle=False) as arrays:
                # A task's name may hold a slash; a layer's number and a member may not.
                for head in dict.fromkeys(key.rsplit("/", 1)[0] for key in arrays.files):
                    kind, rest = head.split("/", 1) if "/" in head else (head, "")
                    if kind == "kernel":
                        continue
                    task, layer = rest.rsplit("/", 1)
                    number = int(layer)

                    def member(name: str, head: str = head) -> Array:
                        return np.asarray(arrays[f"{head}/{name}"], np.float32)

                    if kind == "norm":
                        norms.setdefault(task, {})[number] = Normalisation(
                            gamma=member("gamma"),
                            beta=member("beta"),
                            mean=member("mean"),
                            variance=member("variance"),
                            epsilon=float(arrays[f"{head}/epsilon"]),
                        )
                    elif kind == "rprelu":
                        activations.setdefault(task, {})[number] = RPReLU(
                            member("point"), member("slope"), member("offset")
                        )
                    elif kind == "weights":
                        weights.setdefault(task, {})[number] = OwnWeights(
                            np.asarray(arrays[f"{head}/weights"], np.int8), member("steps")
                        )
                    else:
                        signs.setdefault(task, {})[number] = member("threshold")
                for key in arrays.files:
                    if key.startswith("kernel/"):
                        kernels[int(key.split("/")[1])] = arrays[key].astype(np.float32)
        except (OSError, ValueError, KeyError, EOFError, BadZipFile, zlib.error) as error:
            raise RbnnError(
                f"{path} does not hold trained parameters: {error}.",
                "Train again, or resume the run with: rbnn train --resume RUN",
            ) from error
        return cls(kernels, norms, activations, signs, weights)
