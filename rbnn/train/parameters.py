"""What training leaves behind for export: latent kernels and per-task batch norm, as numpy."""

from __future__ import annotations

import io
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from rbnn.errors import RbnnError
from rbnn.files import write_atomic

Array = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Normalisation:
    """Batch norm of one layer for one task, at inference.

    ``y -> gamma * (y - mean) / sqrt(variance + epsilon) + beta``; each array has one float32 entry
    per channel. ``gamma`` is 1 in front of a sign, so that a larger sum is never a smaller bit.
    """

    gamma: Array
    beta: Array
    mean: Array
    variance: Array
    epsilon: float


@dataclass(frozen=True)
class ModelParameters:
    """All trained values of a run.

    Args:
        kernels: latent kernel of each layer that has bits, by layer number, in Keras' order,
            float32. Stored bit P = 1 where the latent value is >= 0.
        normalisations: by task name, then by layer number; every layer that has bits has one.
    """

    kernels: Mapping[int, Array]
    normalisations: Mapping[str, Mapping[int, Normalisation]]

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
        buffer = io.BytesIO()
        np.savez(buffer, **arrays)
        write_atomic(path, buffer.getvalue())

    @classmethod
    def load(cls, path: Path) -> ModelParameters:
        """Read what :meth:`save` wrote.

        Raises:
            RbnnError: the file is missing or is not such a file.
        """
        kernels: dict[int, Array] = {}
        fields: dict[tuple[str, int], dict[str, npt.NDArray[np.generic]]] = {}
        norms: dict[str, dict[int, Normalisation]] = {}
        try:
            with np.load(path, allow_pickle=False) as arrays:
                for key in arrays.files:
                    kind, *rest = key.split("/")
                    if kind == "kernel":
                        kernels[int(rest[0])] = arrays[key].astype(np.float32)
                    else:
                        task, layer, member = rest
                        fields.setdefault((task, int(layer)), {})[member] = arrays[key]
            for (task, layer), members in fields.items():
                norms.setdefault(task, {})[layer] = Normalisation(
                    gamma=members["gamma"].astype(np.float32),
                    beta=members["beta"].astype(np.float32),
                    mean=members["mean"].astype(np.float32),
                    variance=members["variance"].astype(np.float32),
                    epsilon=float(members["epsilon"]),
                )
        except (OSError, ValueError, KeyError, EOFError, BadZipFile, zlib.error) as error:
            raise RbnnError(
                f"{path} does not hold trained parameters: {error}.",
                "Train again, or resume the run with: rbnn train --resume RUN",
            ) from error
        return cls(kernels, norms)
