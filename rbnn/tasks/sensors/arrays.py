"""NumPy files: tensors that are taken as they are, and sensor series."""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt

from rbnn.tasks.dataset import Images, Kind
from rbnn.tasks.errors import TaskError

MAGIC = b"\x93NUMPY"
Array = npt.NDArray[np.generic]


def read_array(raw: bytes, where: str) -> Array:
    """Decode a ``.npy`` file. One that holds Python objects is never executed.

    Raises:
        TaskError: it is damaged, or holds no plain numbers.
    """
    try:
        array: Array = np.load(io.BytesIO(raw), allow_pickle=False)
    except Exception as error:  # a damaged header can make the parser raise anything
        raise TaskError(
            f"{where} is not a readable NumPy file: {error}.",
            "Save plain numbers with numpy.save, or delete it.",
        ) from error
    if array.dtype.kind not in "iuf" or not array.size:
        raise TaskError(
            f"{where} holds {array.dtype} values of shape {array.shape}.",
            "Save integers or floats with numpy.save.",
        )
    return array


def array_kind(array: Array, where: str) -> Kind:
    """Whether an array is a tensor (uint8 in three dimensions) or a sensor series (two dimensions).

    Raises:
        TaskError: neither.
    """
    if array.ndim == 2:
        return "series"
    if array.ndim == 3 and array.dtype == np.uint8:
        return "tensor"
    raise TaskError(
        f"{where} holds {array.dtype} values of shape {array.shape}.",
        "Save a tensor as uint8 of height x width x channels, a sensor series as time x channels.",
    )


def as_tensor(array: Array, where: str, shape: tuple[int, int, int | None]) -> Images:
    """A tensor of exactly the input's shape.

    Args:
        array: from :func:`read_array`.
        where: its file, for error messages.
        shape: height, width, channels; None for any number of channels that a network takes.

    Raises:
        TaskError: it has another shape or type.
    """
    height, width, channels = shape
    fits = array.ndim == 3 and array.shape[:2] == (height, width)
    fits = fits and (1 <= array.shape[2] <= 4 if channels is None else array.shape[2] == channels)
    if array.dtype != np.uint8 or not fits:
        found = "x".join(map(str, array.shape))
        wanted = f"{height}x{width}x{'1 to 4' if channels is None else channels}"
        raise TaskError(
            f"{where} holds {array.dtype} values of {found}; the input is uint8 of {wanted}.",
            "Save it in the input's shape, or choose another --input.",
        )
    return np.ascontiguousarray(array, dtype=np.uint8)
