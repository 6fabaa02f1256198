"""Where the device's numbers reach their limits: logits, the stream, scales and biases."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rbnn.container import params
from rbnn.container.container import Container
from rbnn.container.params import Residual
from rbnn.container.seal import unseal
from rbnn.container.shapes import bits_bytes, stream_bytes
from rbnn.engine.outputs import Outputs
from rbnn.frozen import Frozen
from rbnn.nets.device_rules import describe
from rbnn.spec.operators import INT16_MAX, INT16_MIN

INT32_MAX = 2**31 - 1


class Counts(Frozen):
    """How many values of a task's samples are at a limit.

    ``tied`` counts samples in which two or more classes have the largest logit that the device can
    represent: it then answers the first of them, whatever they were before.
    """

    samples: int = 0
    tied: int = 0
    logits: int = 0
    limited_logits: int = 0
    streams: int = 0
    limited_streams: int = 0

    def __add__(self, other: Counts) -> Counts:
        mine, theirs = self.model_dump(), other.model_dump()
        return Counts(**{name: mine[name] + theirs[name] for name in mine})


class Saturation(Frozen):
    """What saturates in one task: shares of 1, over ``samples`` test samples.

    ``layers`` names the layers whose scales or biases the exporter limited to 16 bits, and in how
    many channels.
    """

    samples: int
    tied: float
    logits: float
    stream: float
    layers: tuple[str, ...] = ()

    @property
    def anything(self) -> bool:
        """Whether there is anything to report."""
        return bool(self.logits or self.stream or self.layers)

    def text(self) -> str:
        """What a user reads, for example ``96.0 % of logits``."""
        parts = [
            f"{_percent(share)} of {what}"
            for share, what in (
                (self.logits, "the logits"),
                (self.stream, "the stream's values"),
                (self.tied, "the samples have several classes with the largest logit"),
            )
            if share
        ]
        measured = [f"{', '.join(parts)} (over {self.samples} samples)"] if parts else []
        return "; ".join([*measured, *self.layers])


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %" if share >= 0.001 else "less than 0.1 %"


def count(container: Container, outputs: Outputs) -> Counts:
    """Values at the limits in a batch."""
    streams = limited_streams = 0
    for layer, data in zip(container.topology.layers, outputs.layers, strict=True):
        if size := stream_bytes(layer):
            start = bits_bytes(layer)
            stream = np.ascontiguousarray(data[:, start : start + size]).view("<i2")
            streams += stream.size
            limited_streams += int(((stream == INT16_MAX) | (stream == INT16_MIN)).sum())
    return count_logits(outputs.logits) + Counts(streams=streams, limited_streams=limited_streams)


def count_logits(logits: npt.NDArray[np.int32]) -> Counts:
    """Logits at the limits, (samples, classes)."""
    limited = (logits == INT32_MAX) | (logits == -INT32_MAX - 1)
    return Counts(
        samples=len(logits),
        tied=int(((logits == INT32_MAX).sum(axis=1) > 1).sum()),
        logits=logits.size,
        limited_logits=int(limited.sum()),
    )


def limited_layers(container: Container, task: int, secret: bytes) -> tuple[str, ...]:
    """Layers with scales or biases at the limits of 16 bits, where the exporter limited them.

    Args:
        container: the model.
        task: task number.
        secret: task secret S_t, 32 bytes.
    """
    plaintext = unseal(container.tasks[task].sealed, secret, container.model_id, task)
    groups = params.decode(plaintext, container.topology, container.plan).groups
    found = []
    for number, group in groups.items():
        if not isinstance(group, Residual):
            continue
        where = describe(container.topology.layers[number], number).lower()
        at_limit = {
            name: int(((values == INT16_MAX) | (values == INT16_MIN)).sum())
            for name, values in (("biases", group.biases), ("scales", group.scales))
        }
        if group.shift:  # the largest scale may use all bits then
            del at_limit["scales"]
        found += [f"{where}: {n} {name} limited to 16 bits" for name, n in at_limit.items() if n]
    return tuple(found)


def summarise(counts: Counts, layers: tuple[str, ...]) -> Saturation:
    """Shares of counts."""
    return Saturation(
        samples=counts.samples,
        tied=counts.tied / max(counts.samples, 1),
        logits=counts.limited_logits / max(counts.logits, 1),
        stream=counts.limited_streams / max(counts.streams, 1),
        layers=layers,
    )
