"""The sanitized C engine on random graphs against the reference: every layer, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from core_driver import Driver
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_models import RandomModel, random_model
from random_networks import random_topology

from rbnn.container.seal import unseal
from rbnn.container.shapes import output_bytes
from rbnn.container.work import most_work_bytes
from rbnn.engine.reference import Reference
from rbnn.nets.architectures import ARCHITECTURES, lay_out
from rbnn.nets.device_rules import describe
from rbnn.spec.layout import Cipher
from rbnn.spec.status import Status

CASES = settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150
)


def check_model(driver: Driver, model: RandomModel, more_work: int) -> None:
    """One image through both."""
    container = model.container
    plaintext = unseal(container.tasks[0].sealed, model.secret, container.model_id, 0)
    sizes = [output_bytes(layer) for layer in container.topology.layers]
    result = driver.run(
        container.data,
        plaintext,
        secret=model.secret,
        image=model.images[0].tobytes(),
        more_work=more_work,
        output_bytes=sum(sizes),
    )
    assert (result.open, result.check, result.infer) == (Status.OK, Status.OK, Status.OK)
    expected = Reference.open(container, 0, model.secret).infer(model.images[:1]).layers
    got = np.split(np.frombuffer(result.outputs, np.uint8), np.cumsum(sizes)[:-1])
    for number, (ours, theirs) in enumerate(zip(expected, got, strict=True)):
        layer = container.topology.layers[number]
        assert np.array_equal(ours[0], theirs), describe(layer, number)


def more_work(model: RandomModel, share: float) -> int:
    """Bytes beyond the least: ``share`` of what the layers can use, in whole words."""
    most = max(most_work_bytes(layer) for layer in model.container.topology.layers)
    return int(share * (most - model.container.plan.work_bytes)) // 4 * 4


@CASES
@given(
    seed=st.integers(0, 2**32 - 1),
    share=st.sampled_from([0, 0, 0.1, 0.5, 1]),
    cipher=st.sampled_from(Cipher),
    odd=st.booleans(),
)
def test_random_graphs(driver: Driver, seed: int, share: float, cipher: Cipher, odd: bool) -> None:
    channels = (16, 32, 40, 80) if odd else (32, 64, 96)
    model = random_model(random_topology(seed, channels), seed, cipher=cipher)
    check_model(driver, model, more_work(model, share))


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("width", [32, 48])
@pytest.mark.parametrize("share", [0, 1])
@pytest.mark.parametrize("bits", [1, 8])
def test_architectures(driver: Driver, name: str, width: int, share: float, bits: int) -> None:
    ends = {"stem_bits": bits, "classifier_bits": bits}
    model = random_model(lay_out(name, (32, 32, 3), 10, width, **ends), 1)
    check_model(driver, model, more_work(model, share))
