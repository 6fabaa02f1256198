"""Board and integer reference, layer by layer, on 200 images of each task."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from flashed_board import OTHER_TASK, TASK, Flashed

from rbnn.device.evaluation import LayerDifference, check_layers
from rbnn.device.switching import switch_task
from rbnn.export.golden import layer_crc32
from rbnn.export.reference import Reference

pytestmark = [pytest.mark.qemu, pytest.mark.slow]

IMAGES = 200


def test_every_bit_of_every_layer(flashed: Flashed) -> None:
    def differences(task: str) -> list[LayerDifference]:
        number = flashed.container.task_number(task)
        reference = Reference.open(flashed.container, number, flashed.run.secrets()[task])
        shape = (IMAGES, 32, 32, reference.params.input_channels)
        images = np.random.default_rng(number).integers(0, 256, shape, dtype=np.uint8)
        images[:3] = np.array([0, 255, 128], np.uint8).reshape(3, 1, 1, 1)
        target = flashed.copy(f"equality-{task}")
        with target.open() as session:
            switch_task(session, task, lambda: flashed.user_key)
            return check_layers(session, images, layer_crc32(reference.infer(images)))

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(differences, (TASK, OTHER_TASK))) == [[], []]
