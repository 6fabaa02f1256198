"""A network with added operators is trained and exported like any other."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from toys import keras_layers
from toys.toys import Toys, network

from rbnn.engine.reference import Reference
from rbnn.export.export import NO_PROVIDER, make_container
from rbnn.nets.build import SharedNetwork, TaskInput
from rbnn.nets.keras_operator import KERAS
from rbnn.runs.run import RunTask
from rbnn.spec.layout import LOGIT_FRACTION_BITS, Adapter, Cipher
from rbnn.spec.link import Benchmark
from rbnn.train.transfer import read_parameters

SECRET, MODEL = b"\1" * 32, b"\3" * 16
OFFSETS = (120, 110, 100)


def test_keras_and_integers_have_the_same_logits(
    toys: Toys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(KERAS.pieces, "min_pool", keras_layers.MIN_POOL)
    monkeypatch.setitem(KERAS.pieces, "row_dense", keras_layers.ROW_DENSE)
    given = TaskInput("task", 20, 3, Adapter.IDENTITY, OFFSETS)
    topology = network()
    made = SharedNetwork(topology, [given], cipher=Cipher.CHACHA8)
    generator = np.random.default_rng(8)
    for number, norm in made.own["task"].norms.items():
        size = norm.beta.shape[0]
        spread = np.sqrt(np.prod(topology.layers[number].kernel_shape[:-1]))
        spread *= 1 if number else 70
        norm.beta.assign(generator.normal(size=size) / 4)
        norm.moving_mean.assign(generator.normal(size=size) * spread / 4)
        norm.moving_variance.assign(generator.uniform(0.5, 2, size) * spread**2)
    made.set_secrets({"task": SECRET}, MODEL)
    labels = tuple(f"class {number}" for number in range(20))
    config: Any = SimpleNamespace(
        scheme="xor",
        topology=lambda: topology,
        tasks=(RunTask(name="task", labels=labels, input_channels=3, adapter=Adapter.IDENTITY,
                       offsets=OFFSETS, source="task"),),
        model_id=MODEL.hex(),
        key_cipher=Cipher.CHACHA8,
        benchmark=lambda task: Benchmark.NONE,
        trunk=0,
    )  # fmt: skip
    container = make_container(config, read_parameters(made), {"task": SECRET}, NO_PROVIDER)
    images = generator.integers(0, 256, (40, 12, 12, 3), dtype=np.uint8)
    keras = made.models["task"](images, training=False).numpy()
    integers = Reference.open(container, 0, SECRET).infer(images).logits
    np.testing.assert_allclose(integers / 2**LOGIT_FRACTION_BITS, keras, rtol=1e-3, atol=1e-3)
