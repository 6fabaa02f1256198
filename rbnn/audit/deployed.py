"""The network as a device computes it: classes, logits and streams from the C engine."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from rbnn.container.container import Container
from rbnn.engine.wide import WideEngine
from rbnn.spec.layout import Output
from rbnn.tasks.dataset import Images, Labels

AT_ONCE = 8192
"""Inputs of one call: some 25 MB of colour pictures."""
STREAM_AT_ONCE = 512
LOGIT_SCALE = float(1 << 20)
"""Logits are Q12.20."""
Vectors = npt.NDArray[np.float32]


class Deployed:
    """A container's tasks under their secrets.

    Args:
        container: the model.
        secrets: by task name, 32 bytes each.

    Attributes:
        passes: forward passes so far.

    Raises:
        RbnnError: there is no C compiler, or the C code refuses the container.
    """

    def __init__(self, container: Container, secrets: Mapping[str, bytes]) -> None:
        self.container = container
        self._secrets = secrets
        self._engine = WideEngine(container)
        self.passes = 0

    def logits(
        self, task: str, images: Images, forced: bytes | None = None
    ) -> npt.NDArray[np.int32]:
        """Logits in Q12.20, (n, classes); arguments as for :class:`rbnn.train.evaluate.Predictor`.

        Raises:
            RbnnError: the secret does not open the task.
        """
        number = self.container.task_number(task)
        self.passes += len(images)
        parts = [
            self._engine.logits(
                number, self._secrets[task], images[start : start + AT_ONCE], forced=forced
            )
            for start in range(0, max(len(images), 1), AT_ONCE)
        ]
        return np.concatenate(parts)

    def classes(self, task: str, images: Images, forced: bytes | None = None) -> Labels:
        """Class numbers."""
        return np.asarray(self.logits(task, images, forced).argmax(axis=1), np.int64)

    def entropies(self, task: str, images: Images) -> npt.NDArray[np.float64]:
        """Shannon entropy of each answer's softmax, in bits."""
        scaled = self.logits(task, images) / LOGIT_SCALE
        powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
        shares = powers / powers.sum(axis=1, keepdims=True)
        return np.asarray(-(shares * np.log2(np.maximum(shares, 1e-12))).sum(axis=1))

    def streams(self, task: str, images: Images) -> Vectors:
        """The int16 activations in front of the last layer, averaged over their places, (n,
        channels). Of a network without a residual stream, the bits there."""
        layers = self.container.topology.layers
        chosen = max(
            (n for n, layer in enumerate(layers) if Output.STREAM in layer.output),
            default=len(layers) - 2,
        )
        layer = layers[chosen]
        height, width, channels = layer.out_shape
        number = self.container.task_number(task)
        found = []
        for start in range(0, len(images), STREAM_AT_ONCE):
            part = images[start : start + STREAM_AT_ONCE]
            self.passes += len(part)
            kept = self._engine.infer(number, self._secrets[task], part).layers[chosen]
            if Output.STREAM in layer.output:
                size = 2 * height * width * channels
                values = np.ascontiguousarray(kept[:, -size:]).view("<i2")
                means = values.reshape(len(part), -1, channels).mean(axis=1)
            else:
                means = np.unpackbits(kept, axis=1)
            found.append(np.asarray(means, np.float32))
        return np.concatenate(found)
