"""SPEC.md is complete: an evaluator written by it computes what the integer reference computes."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import spec_container
import spec_evaluator
from cryptography.exceptions import InvalidTag
from random_models import random_model
from random_networks import random_topology

from rbnn.engine.reference import Reference
from rbnn.spec.layout import Cipher


def computed(data: bytes, number: int, secret: bytes, images: Any) -> list[list[int]]:
    """Logits by the evaluator, for each image."""
    model = spec_container.open_model(data)
    evaluator = spec_evaluator.Evaluator(model, spec_container.open_task(model, number, secret))
    return [evaluator.logits(image) for image in images]


@pytest.mark.parametrize(
    ("architecture", "settings"),
    [
        ("vgg", {"width": 40}),
        ("resnet", {"trunk": 3, "cipher": "chacha8", "tasks": (("a", 10, 3), ("b", 19, 1))}),
        ("reactnet", {"cipher": "chacha12"}),
        ("vgg", {"ends": 8}),
        ("resnet", {"width": 48, "ends": 8, "trunk": 2}),
        ("reactnet", {"ends": 8}),
    ],
)
def test_every_architecture_is_computed_from_the_container_and_a_secret(
    random_export: Callable[..., Any], architecture: str, settings: dict[str, Any]
) -> None:
    made = random_export(architecture=architecture, **settings)
    container = made.export.container
    for number, (name, images) in enumerate(made.images.items()):
        secret, chosen = made.secrets[name], images[:3]
        reference = Reference.open(container, number, secret)
        logits = reference.infer(chosen).logits
        ours = computed(container.data, number, secret, chosen)
        assert ours == logits.tolist()
        assert [spec_evaluator.scores(row) for row in ours] == reference.scores(logits)


@pytest.mark.parametrize("seed", range(40))
def test_random_graphs(seed: int) -> None:
    """Strides, windows, shortcuts and pools that no architecture has."""
    made = random_model(random_topology(seed), seed, images=2, cipher=Cipher(seed % 3))
    reference = Reference.open(made.container, 0, made.secret)
    expected = reference.infer(made.images).logits.tolist()
    assert computed(made.container.data, 0, made.secret, made.images) == expected


def test_labels_and_a_wrong_secret(random_export: Callable[..., Any]) -> None:
    made = random_export()
    model = spec_container.open_model(made.export.container.data)
    task = spec_container.open_task(model, 1, made.secrets["grey"])
    assert task.labels == ["grey-0", "grey-1", "grey-2", "grey-3"]
    with pytest.raises(InvalidTag):
        spec_container.open_task(model, 0, made.secrets["grey"])


def test_equal_logits_give_the_rest_to_the_lower_class() -> None:
    assert spec_evaluator.scores([5, 5, 5]) == [333334, 333333, 333333]


@pytest.mark.parametrize("module", [spec_container, spec_evaluator])
def test_the_evaluator_imports_nothing_of_rbnn(module: ModuleType) -> None:
    tree = ast.parse(Path(module.__file__ or "").read_text())
    names = [
        node.module or "" if isinstance(node, ast.ImportFrom) else alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    ]
    assert "numpy" in names
    assert not any(name.split(".")[0] == "rbnn" for name in names)
