"""Containers of random graphs with random parameters."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
from random_parameters import random_parameters

from rbnn.container.container import Container
from rbnn.export.export import make_container
from rbnn.nets.topology import Topology
from rbnn.runs.config import RunTask
from rbnn.spec.layout import Adapter, Cipher
from rbnn.spec.link import Benchmark


@dataclass(frozen=True)
class RandomModel:
    """A container of one task; ``images`` are (n, height, width, channels) uint8."""

    container: Container
    secret: bytes
    images: npt.NDArray[np.uint8]


def random_model(
    topology: Topology, seed: int, images: int = 1, cipher: Cipher = Cipher.CHACHA20
) -> RandomModel:
    """Make up parameters for a network and export them.

    Args:
        topology: as trained, channels not padded.
        seed: of everything random.
        images: how many.
        cipher: of the key stream.
    """
    rng = np.random.default_rng(seed)
    height, width, channels = topology.input_shape
    repeated = bool(rng.integers(2)) or channels == 1
    classes = int(rng.integers(1, topology.max_classes + 1))
    task = RunTask(
        name="task",
        labels=tuple(f"class {k}" for k in range(classes)),
        input_channels=1 if repeated else channels,
        adapter=Adapter.REPLICATE if repeated else Adapter.IDENTITY,
        offsets=tuple(int(value) for value in rng.integers(0, 256, channels)),
        source="task",
    )
    config: Any = SimpleNamespace(
        scheme="xor",
        topology=lambda: topology,
        tasks=(task,),
        model_id=rng.bytes(16).hex(),
        key_cipher=cipher,
        benchmark=lambda task: Benchmark.NONE,
        trunk=int(rng.integers(sum(layer.bits > 0 for layer in topology.layers))),
    )
    secret = rng.bytes(32)
    parameters = random_parameters(rng, topology, ["task"])
    container = make_container(config, parameters, {"task": secret}, bytes(32))
    shape = (images, height, width, task.input_channels)
    fill = int(rng.integers(4))
    pixels = (
        np.full(shape, 255 * fill, np.uint8)
        if fill < 2
        else rng.integers(0, 256, shape, dtype=np.uint8)
    )
    return RandomModel(container, secret, pixels)
