"""The network that is searched has a gradient to its inputs, and answers as the integers do."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from rbnn.audit.deployed import Deployed
from rbnn.audit.keras_path import KerasPath, agreement
from rbnn.nets.architectures import ARCHITECTURES
from rbnn.nets.framework import tf


@pytest.mark.parametrize(
    "architecture",
    [
        pytest.param(name, marks=pytest.mark.full if name == "resnet" else ())
        for name in ARCHITECTURES
    ],
)
def test_every_architecture_can_be_searched(
    random_export: Callable[..., object], architecture: str
) -> None:
    made = random_export(architecture=architecture, tasks=(("grey", 4, 1),))
    run, images = made.run, made.images["grey"]  # type: ignore[attr-defined]
    path = KerasPath(run)
    logits = path.differentiable("grey")
    pixels = tf.Variable(images.astype(np.float32))
    with tf.GradientTape() as tape:
        found = logits(pixels)
        loss = tf.reduce_sum(found[:, 0])
    gradient = tape.gradient(loss, pixels)
    assert gradient is not None
    assert np.isfinite(gradient.numpy()).all()
    assert np.abs(gradient.numpy()).max() > 0
    answers = np.asarray(found).argmax(axis=1)
    deployed = Deployed(made.export.container, made.secrets)  # type: ignore[attr-defined]
    assert agreement(answers, deployed.classes("grey", images)) >= 0.95
