"""Golden vectors: a few test samples of each task, and what every computer must get from them.

``golden.npz`` holds per task ``<task>/images`` (n, height, width, channels) uint8, ``<task>/crc32``
(n, layers) uint32 over each layer's output as it lies in the arena, and ``<task>/logits``
(n, classes) int32, Q12.20.
"""

from __future__ import annotations

import binascii
import io
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from rbnn.container.errors import ExportError
from rbnn.engine.outputs import Outputs
from rbnn.files import PRIVATE, write_atomic

SAMPLES = 16


@dataclass(frozen=True)
class Golden:
    """The vectors of one task; members as in the file."""

    images: npt.NDArray[np.uint8]
    crc32: npt.NDArray[np.uint32]
    logits: npt.NDArray[np.int32]


def layer_crc32(outputs: Outputs) -> npt.NDArray[np.uint32]:
    """CRC-32 of every layer's output: (n, layers)."""
    return np.array(
        [[binascii.crc32(layer[i].tobytes()) for layer in outputs.layers]
         for i in range(len(outputs.logits))],
        np.uint32,
    ).reshape(len(outputs.logits), len(outputs.layers))  # fmt: skip


def save(path: Path, vectors: Mapping[str, Golden]) -> None:
    """Write the vectors of all tasks, all or nothing."""
    arrays: dict[str, npt.NDArray[np.generic]] = {}
    for task, golden in vectors.items():
        arrays[f"{task}/images"] = golden.images
        arrays[f"{task}/crc32"] = golden.crc32
        arrays[f"{task}/logits"] = golden.logits
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    write_atomic(path, buffer.getvalue(), mode=PRIVATE)


def load(path: Path) -> dict[str, Golden]:
    """Read what :func:`save` wrote.

    Raises:
        ExportError: missing or damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            names = dict.fromkeys(key.rsplit("/", 1)[0] for key in arrays.files)
            return {
                name: Golden(
                    arrays[f"{name}/images"], arrays[f"{name}/crc32"], arrays[f"{name}/logits"]
                )
                for name in names
            }
    except (OSError, ValueError, KeyError, EOFError, BadZipFile, zlib.error) as error:
        raise ExportError(
            f"{path} does not hold golden vectors: {error}.", "Export again: rbnn export RUN"
        ) from error
