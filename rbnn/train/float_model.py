"""Reads a float model of the user's: Keras 2, Keras 3 or TensorFlow Lite, called as a function."""

from __future__ import annotations

import importlib
import os
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rbnn.nets.framework import quiet, tf
from rbnn.runs.errors import TrainingError
from rbnn.spec.layout import MAX_INPUT_CHANNELS
from rbnn.train.foreign.config import TEACHERS, Admitted
from rbnn.train.foreign.keras_file import read_file, rebuilt
from rbnn.train.foreign.lite_file import check_lite, is_lite
from rbnn.train.foreign.refusals import no_model

PIXELS: dict[str, tuple[float, float]] = {
    "0..1": (1 / 255, 0.0),
    "-1..1": (1 / 127.5, -1.0),
    "0..255": (1.0, 0.0),
}
"""Ranges of a model's input, the smallest first: factor and offset that lead from 0..255 to it."""

CHANNELS = tuple(range(1, MAX_INPUT_CHANNELS + 1))
Call = Any
"""A function of TensorFlow: (batch, height, width, channels) float32 to (batch, classes)."""


class FloatModel:
    """A classifier of pictures.

    Args:
        path: an HDF5, ``.keras`` or TensorFlow Lite file; its content says which, not its name.
        halved: compute layers that give pictures in bfloat16, where Keras can; about three times
            as fast on a CPU that has it.

    Attributes:
        shape: height, width and channels of its input; None where any height or width will do.
        classes: number of its outputs.

    Raises:
        TrainingError: it is no such model.
    """

    def __init__(self, path: Path, halved: bool = False) -> None:
        data = read_file(path)
        self._model: Call = _Lite(data, path) if is_lite(data) else load_keras(path, halved)
        given, returned = self._model.input_shape, self._model.output_shape
        if not _is_shape(given, 4) or given[3] not in CHANNELS:
            raise TrainingError(
                f"{path} does not take pictures: its input is {given}.",
                "A teacher takes one float input: batch, height, width, and 1 to 4 channels.",
            )
        if not _is_shape(returned, 2) or returned[1] is None:
            raise TrainingError(
                f"{path} is no classifier: its output is {returned}.",
                "A teacher has one output: batch, and one number for each class.",
            )
        self.shape: tuple[int | None, int | None, int] = (given[1], given[2], given[3])
        self.classes: int = returned[1]

    def __call__(self, images: tf.Tensor, pixels: str) -> tf.Tensor:
        """The model's outputs, (batch, classes) float32.

        A grey picture is repeated in all channels, a colour picture made grey by its luminance,
        and another size reached by bilinear interpolation, with a low-pass where it shrinks.

        Args:
            images: (batch, height, width, channels), 0 to 255.
            pixels: a key of :data:`PIXELS`.
        """
        values = tf.cast(images, tf.float32)
        height, width, channels = self.shape
        if values.shape[3] < channels:
            values = tf.repeat(values, channels, axis=3)
        elif values.shape[3] > channels:
            values = tf.image.rgb_to_grayscale(values)
        size = (height or values.shape[1], width or values.shape[2])
        if size != tuple(values.shape[1:3]):
            values = tf.image.resize(values, size, antialias=True)
        factor, offset = PIXELS[pixels]
        return tf.cast(self._model(factor * values + offset, training=False), tf.float32)


class _Lite:
    """A TensorFlow Lite model, called like a Keras model."""

    def __init__(self, data: bytes, path: Path) -> None:
        check_lite(data, path)
        with warnings.catch_warnings(), quiet():
            warnings.simplefilter("ignore")  # that the interpreter will move to a package
            try:
                self._lite = tf.lite.Interpreter(model_content=data, num_threads=os.cpu_count())
                self._lite.allocate_tensors()
            except Exception as error:  # whatever a damaged file raises
                failure: Exception | None = error
            else:
                failure = None
        if failure is not None:
            raise no_model(path, "TensorFlow Lite", failure) from failure
        given, returned = self._lite.get_input_details(), self._lite.get_output_details()
        if len(given) != 1 or len(returned) != 1:
            raise TrainingError(
                f"{path} has {len(given)} inputs and {len(returned)} outputs.",
                "A teacher has one of each.",
            )
        self._given, self._returned = given[0], returned[0]
        types = [np.dtype(one["dtype"]).name for one in (self._given, self._returned)]
        if types != ["float32", "float32"]:
            raise TrainingError(
                f"{path} is quantised: its input is {types[0]}, its output {types[1]}.",
                "Name the float model that it was made from: rounded answers teach less.",
            )
        shapes = [one.get("shape_signature", one["shape"]) for one in (given[0], returned[0])]
        self.input_shape, self.output_shape = (
            tuple(None if side < 0 else int(side) for side in shape) for shape in shapes
        )
        self._lock = threading.Lock()  # the replicas share the interpreter

    def __call__(self, values: tf.Tensor, training: bool) -> tf.Tensor:
        found = tf.numpy_function(self._invoke, [values], tf.float32, stateful=False)
        found.set_shape((values.shape[0], self.output_shape[1]))
        return found

    def _invoke(self, values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        with self._lock:
            try:
                return self._run(values)
            except (RuntimeError, ValueError):  # its batch is built in
                return np.concatenate([self._run(values[n : n + 1]) for n in range(len(values))])

    def _run(self, values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        if tuple(self._lite.get_input_details()[0]["shape"]) != values.shape:
            self._lite.resize_tensor_input(self._given["index"], values.shape)
            self._lite.allocate_tensors()
        self._lite.set_tensor(self._given["index"], values)
        self._lite.invoke()
        found = np.array(self._lite.get_tensor(self._returned["index"]), np.float32)
        if len(found) != len(values):
            raise ValueError("the model's batch does not follow its input")
        return found


def load_keras(path: Path, halved: bool = False, admitted: Admitted = TEACHERS) -> Any:
    """A model that either Keras wrote; nothing in its file is run, and no other file read.

    Args:
        path: of its file.
        halved: see :class:`FloatModel`.
        admitted: its layers.

    Raises:
        TrainingError: it is no such model, or has what is not admitted.
    """
    errors = []
    with rebuilt(path, admitted) as copy:
        for library in ("tf_keras", "keras"):
            # The second is Keras 3, which writes .keras files that Keras 2 cannot read.
            os.environ.setdefault("KERAS_BACKEND", "tensorflow")
            with quiet():
                try:
                    models = importlib.import_module(library).models
                    found = models.load_model(copy, compile=False, safe_mode=True)
                    return _halved(found, models.clone_model) if halved else found
                except Exception as error:  # whatever a damaged file raises
                    errors.append(error)
    raise no_model(path, "Keras", errors[0]) from errors[0]


def _halved(model: Any, clone: Callable[..., Any]) -> Any:
    """The model with its layers of pictures in bfloat16; as it is where Keras cannot copy it."""

    def copy(layer: Any) -> Any:
        config = layer.get_config()
        if len(layer.output.shape) == 4:
            config["dtype"] = "mixed_bfloat16"
        return type(layer).from_config(config)

    try:
        found = clone(model, clone_function=copy)
        found.set_weights(model.get_weights())
    except Exception:  # whatever a layer of an unusual kind raises
        return model
    return found


def _is_shape(shape: object, length: int) -> bool:
    return isinstance(shape, tuple) and len(shape) == length and not isinstance(shape[0], tuple)
