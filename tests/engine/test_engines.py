"""C engine against the integer reference, and what the C engine refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from rbnn.container.errors import SealedBlockError
from rbnn.engine import golden
from rbnn.engine.native import NativeEngine
from rbnn.engine.reference import Reference
from rbnn.errors import RbnnError
from rbnn.export.verify import verify_task

TASKS = (("colour", 10, 3), ("grey", 4, 1), ("many", 37, 3))


@pytest.fixture(scope="module", params=[0, 3], ids=["own keys", "trunk"])
def made(random_export: Callable[..., Any], request: pytest.FixtureRequest) -> Any:
    return random_export(tasks=TASKS, trunk=request.param)


@pytest.mark.parametrize("task", range(len(TASKS)))
def test_every_layer_of_every_task_is_equal(made: Any, task: int) -> None:
    name, classes, _ = TASKS[task]
    container = made.export.container
    reference = Reference.open(container, task, made.secrets[name]).infer(made.images[name])
    native = NativeEngine(container).infer(task, made.secrets[name], made.images[name])
    assert len(reference.layers) == len(container.topology.layers)
    for number, (ours, theirs) in enumerate(zip(reference.layers, native.layers, strict=True)):
        assert np.array_equal(ours, theirs), f"layer {number}"
    assert reference.logits.shape == (20, classes)
    assert np.array_equal(reference.logits, native.logits)
    # A network with the same answer to everything would make the comparison meaningless.
    assert len({row.tobytes() for row in reference.logits}) == 20


def test_without_layer_outputs_the_logits_are_the_same(made: Any) -> None:
    engine = NativeEngine(made.export.container)
    kept = engine.infer(1, made.secrets["grey"], made.images["grey"])
    alone = engine.logits(1, made.secrets["grey"], made.images["grey"])
    assert np.array_equal(kept.logits, alone)


def test_golden_vectors_are_what_the_engine_computes(made: Any) -> None:
    vectors = golden.load(made.export.golden_file)
    assert list(vectors) == [name for name, _, _ in TASKS]
    engine = NativeEngine(made.export.container)
    for task, (name, vector) in enumerate(vectors.items()):
        assert len(vector.images) == golden.SAMPLES
        outputs = engine.infer(task, made.secrets[name], vector.images)
        assert np.array_equal(golden.layer_crc32(outputs), vector.crc32)
        assert np.array_equal(outputs.logits, vector.logits)


def test_verify_counts_nothing_where_both_agree(made: Any) -> None:
    labels = np.zeros(20, np.int64)
    check = verify_task(
        made.export.container, 0, made.secrets["colour"], made.images["colour"], labels
    )
    assert (check.samples, check.differing_outputs, check.agreement) == (20, 0, None)
    assert check.passed


def test_verify_fails_where_keras_disagrees(made: Any) -> None:
    images, secret = made.images["colour"], made.secrets["colour"]
    best = Reference.open(made.export.container, 0, secret).infer(images).logits.argmax(axis=1)
    same = verify_task(made.export.container, 0, secret, images, best, best)
    assert same.passed and same.agreement == 1.0 and same.accuracy == 1.0
    other = best.copy()
    other[0] = (other[0] + 1) % 10
    check = verify_task(made.export.container, 0, secret, images, best, other)
    assert check.agreement == 0.95 and not check.passed


@pytest.mark.parametrize("engine", [NativeEngine, Reference.open])
def test_wrong_secret_opens_nothing(made: Any, engine: Any) -> None:
    container, images = made.export.container, made.images["colour"]
    for secret in (bytes(32), made.secrets["grey"]):
        with pytest.raises(SealedBlockError, match="does not open"):
            if engine is NativeEngine:
                NativeEngine(container).logits(0, secret, images)
            else:
                Reference.open(container, 0, secret)


def test_images_of_another_shape_are_refused(made: Any) -> None:
    container, secret = made.export.container, made.secrets["grey"]
    wrong = np.zeros((2, 32, 32, 3), np.uint8)
    with pytest.raises(RbnnError, match="takes"):
        NativeEngine(container).logits(1, secret, wrong)
    with pytest.raises(RbnnError, match="takes"):
        Reference.open(container, 1, secret).infer(wrong)


def test_reconfigured_bits_look_random_for_every_task(made: Any) -> None:
    """P under a task's stream is no closer to P, or to another task, than chance; the layers of a
    trunk are the same for all tasks."""
    container = made.export.container
    kernels = [
        Reference.open(container, task, made.secrets[name]).kernels
        for task, (name, _, _) in enumerate(TASKS)
    ]
    for layer, first in kernels[0].items():
        bits = first.size
        for other in kernels[1:]:
            differing = np.count_nonzero(first != other[layer])
            if layer < container.trunk_layers:
                assert differing == 0
                continue
            assert abs(differing - bits / 2) < 5 * np.sqrt(bits) / 2
