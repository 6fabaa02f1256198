"""Keras, reference and C engine on one network: the three computers agree."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from rbnn.export.verify import require_passed, verify_run
from rbnn.tasks import Split, TaskData


@pytest.mark.slow
@pytest.mark.parametrize(
    ("architecture", "width"),
    [
        pytest.param("vgg", 32, marks=pytest.mark.full),
        ("vgg", 48),
        pytest.param("resnet", 48, marks=pytest.mark.full),
        ("reactnet", 32),
    ],
)
def test_three_computers_agree(
    random_export: Callable[..., Any], architecture: str, width: int
) -> None:
    tasks = (("colour", 10, 3), ("grey", 4, 1))
    trunk = 2 if width == 32 else 0
    made = random_export(architecture=architecture, width=width, tasks=tasks, trunk=trunk)
    rng = np.random.default_rng(3)
    data = []
    for task in made.run.config().tasks:
        images = rng.integers(0, 256, (300, 32, 32, task.input_channels), dtype=np.uint8)
        split = Split(images, rng.integers(0, len(task.labels), 300))
        data.append(TaskData(task.name, task.labels, split, split, task.name, "random", "image"))
    told: list[tuple[str, int, int]] = []
    checks = verify_run(made.run, made.export.container, data, lambda *step: told.append(step))
    require_passed(checks)
    for check in checks:
        assert check.differing_outputs == 0
        assert check.agreement is not None and check.agreement >= 0.995
        assert check.samples == 300
    assert told[-1] == ("checking grey", 300, 300)
