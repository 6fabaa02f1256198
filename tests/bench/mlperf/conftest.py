"""A small packed model with benchmark names on an emulated board, and samples for the runner."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from mlperf_place import NAMES, Place
from packed_models import pack_random_model

from rbnn.bench.mlperf.dataset import write_dataset
from rbnn.device import deploy
from rbnn.device.emulated.target import EmulatedTarget
from rbnn.image.board import load_board
from rbnn.keys.published import published_provider
from rbnn.keys.registry import Registry
from rbnn.keys.user_key import create_user_key
from rbnn.tasks.dataset import Split, TaskData

SAMPLES = 5


def with_every_class(task: TaskData) -> TaskData:
    """The task with a few test samples, each class among them."""
    labels = np.arange(SAMPLES, dtype=np.int64) % len(task.labels)
    return dataclasses.replace(task, test=Split(task.test.images[:SAMPLES], labels))


@pytest.fixture(scope="package")
def place(
    tmp_path_factory: pytest.TempPathFactory, random_export: Callable[..., Any]
) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("mlperf")
    packed, data = pack_random_model(folder / "model", random_export)
    model = packed.with_benchmarks(NAMES)
    user_key = create_user_key(folder / "keys" / "user.key")
    target = EmulatedTarget(load_board("qemu"), folder / "emulated" / "qemu", lambda line: None)
    prepared = deploy.prepare_packed(model, target, lambda line: None, folder / "export")
    with Registry.open(folder / "registry.sqlite") as registry:
        deploy.flash(
            *(prepared, target, published_provider(), user_key, registry, (), lambda line: None)
        )
    tasks = {one.name: with_every_class(one) for one in data}
    made = Place(folder, model, tasks, target)
    for name in ("colour", "grey"):
        write_dataset(made.samples, made.data[name], NAMES[name], 0)
    yield made
    target.emulator.power_off()
