"""From a float network to full integers by TensorFlow's converter, measured by its interpreter."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from rbnn.nets.framework import quiet, tf
from rbnn.peers.build import Floats, Network, normalise
from rbnn.tasks import TaskData
from rbnn.tasks.dataset import Images, Labels
from rbnn.train.evaluate import some

REPRESENTATIVES = 512
"""Training samples, evenly spaced and divided among the tasks, by which ranges are chosen."""
AT_ONCE = 100


def quantise(network: Network, data: Sequence[TaskData]) -> bytes:
    """The file of a network in int8: weights per channel, activations, input and outputs.

    Args:
        network: trained.
        data: its tasks; their training sets give the ranges of the activations.
    """
    channels = network.input_shape[3]
    each = -(-REPRESENTATIVES // len(data))
    images = [normalise(some(task.train, each).images, channels) for task in data]

    def representatives() -> Iterator[list[Floats]]:
        for image in np.concatenate(images):
            yield [image[None]]

    converter = tf.lite.TFLiteConverter.from_keras_model(network)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = representatives
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.int8
    converter.inference_output_type = tf.int8
    with warnings.catch_warnings(), quiet():
        warnings.simplefilter("ignore")
        return bytes(converter.convert())


class Int8Network:
    """A converted network, run as on a device: integers only, no delegate.

    Args:
        content: of the file.
    """

    def __init__(self, content: bytes) -> None:
        with warnings.catch_warnings(), quiet():
            warnings.simplefilter("ignore")  # that the interpreter will move to a package
            kinds = tf.lite.experimental.OpResolverType
            self._lite = tf.lite.Interpreter(
                model_content=content,
                num_threads=1,
                experimental_op_resolver_type=kinds.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
            )
            self._lite.allocate_tensors()
        (self._given,) = self._lite.get_input_details()
        (signature,) = self._lite.get_signature_list().values()
        runner = self._lite.get_signature_runner()
        details = runner.get_output_details()
        # The signature's names are in the order of the network's heads: head_0, head_1, ...
        names = sorted(signature["outputs"], key=lambda name: int(name.rpartition("_")[2]))
        self._returned = [details[name]["index"] for name in names]
        scale, zero = self._given["quantization"]
        levels = np.rint((np.arange(256) / 127.5 - 1) / scale) + zero
        self._levels = np.clip(levels, -128, 127).astype(np.int8)

    def predict(self, images: Images, head: int = 0) -> Labels:
        """Class numbers, (n,) int64.

        Args:
            images: (n, height, width, c) uint8; grey ones are repeated for colours.
            head: number of the output.
        """
        found = [np.zeros(0, np.int64)]
        for first in range(0, len(images), AT_ONCE):
            found.append(self._run(images[first : first + AT_ONCE], head))
        return np.concatenate(found)

    def _run(self, images: Images, head: int) -> Labels:
        channels = int(self._given["shape"][3])
        values = np.repeat(self._levels[images], channels // images.shape[3], axis=3)
        if tuple(self._lite.get_input_details()[0]["shape"]) != values.shape:
            self._lite.resize_tensor_input(self._given["index"], values.shape)
            self._lite.allocate_tensors()
        self._lite.set_tensor(self._given["index"], values)
        self._lite.invoke()
        logits: npt.NDArray[np.int8] = self._lite.get_tensor(self._returned[head])
        return np.asarray(logits.argmax(axis=1), np.int64)
