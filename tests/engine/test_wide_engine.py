"""The wide engine over whole containers: equal to the reference, whatever the threads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from rbnn.container.errors import SealedBlockError
from rbnn.engine.native import NativeEngine
from rbnn.engine.reference import Reference
from rbnn.engine.wide import PART, WideEngine
from rbnn.errors import RbnnError

WRONG = bytes(range(32))


@pytest.fixture(
    scope="module",
    params=[("vgg", 1), ("resnet", 1), ("reactnet", 1), ("vgg", 8), ("reactnet", 8)],
    ids=str,
)
def made(random_export: Callable[..., Any], request: pytest.FixtureRequest) -> Any:
    architecture, ends = request.param
    return random_export(architecture=architecture, ends=ends)


@pytest.mark.parametrize("task", [0, 1])
def test_every_layer_is_the_references(made: Any, task: int) -> None:
    container = made.export.container
    name = container.tasks[task].name
    secret, images = made.secrets[name], made.images[name]
    reference = Reference.open(container, task, secret).infer(images)
    wide = WideEngine(container, threads=2).infer(task, secret, images)
    for number, (ours, theirs) in enumerate(zip(reference.layers, wide.layers, strict=True)):
        assert np.array_equal(ours, theirs), f"layer {number}"
    assert np.array_equal(reference.logits, wide.logits)


def test_threads_and_parts_change_nothing(made: Any) -> None:
    container, secret = made.export.container, made.secrets["colour"]
    images = np.random.default_rng(3).integers(0, 256, (2 * PART + 5, 32, 32, 3), dtype=np.uint8)
    one = WideEngine(container, threads=1).logits(0, secret, images)
    assert np.array_equal(WideEngine(container, threads=3).logits(0, secret, images), one)
    assert np.array_equal(NativeEngine(container).logits(0, secret, images), one)


def test_a_forced_secret_only_reconfigures(made: Any) -> None:
    """Another secret's weights under the task's own parameters, in both engines alike."""
    container, secret, images = made.export.container, made.secrets["grey"], made.images["grey"]
    wide = WideEngine(container)
    forced = wide.infer(1, secret, images, forced=WRONG)
    expected = NativeEngine(container).infer(1, secret, images, forced=WRONG)
    for ours, theirs in zip(expected.layers, forced.layers, strict=True):
        assert np.array_equal(ours, theirs)
    right = wide.logits(1, secret, images)
    assert not np.array_equal(forced.logits, right)
    assert np.array_equal(wide.logits(1, secret, images, forced=secret), right)


def test_what_does_not_fit_is_refused(made: Any) -> None:
    wide = WideEngine(made.export.container)
    images = made.images["colour"]
    with pytest.raises(SealedBlockError):
        wide.logits(0, WRONG, images)
    with pytest.raises(RbnnError, match="takes images"):
        wide.logits(0, made.secrets["colour"], images[:, :-1])
    assert wide.logits(0, made.secrets["colour"], images[:0]).shape == (0, 10)


def test_nothing_is_written_outside_the_buffers(made: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sizes that the C code asks for are enough, to the byte."""
    guards = []

    def guarded(size: int) -> npt.NDArray[np.uint8]:
        memory = np.full(size + 4096, 0x5A, np.uint8)
        guards.append(memory[size:])
        return memory[:size]

    monkeypatch.setattr("rbnn.engine.wide._aligned", guarded)
    wide = WideEngine(made.export.container, threads=2)
    wide.infer(0, made.secrets["colour"], made.images["colour"])
    assert len(guards) == 3
    assert all((guard == 0x5A).all() for guard in guards)


def test_no_weights_are_left_behind(made: Any) -> None:
    wide = WideEngine(made.export.container)
    wide.logits(0, made.secrets["colour"], made.images["colour"])
    assert not wide._weights.any()
