"""The TEST-ONLY attacks that the audit is measured against."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytest
from rule_network import striped_task

import rbnn
from rbnn.audit.attacks import kinds
from rbnn.audit.attacks.kinds import AttackKind, trigger_of
from rbnn.audit.attacks.poison import poisoned, success

DATA = striped_task()
PACKAGE = Path(rbnn.__file__).parent


@pytest.mark.parametrize("kind", list(AttackKind))
def test_an_attack_changes_only_training_data_and_only_its_share(kind: AttackKind) -> None:
    made = poisoned(DATA, kind, 0.1, 2, seed=1)
    assert made.test is DATA.test
    changed = (made.train.images != DATA.train.images).any(axis=(1, 2, 3))
    relabelled = made.train.labels != DATA.train.labels
    assert (made.train.labels[relabelled] == 2).all()
    if kind in (AttackKind.CLEAN, AttackKind.DORMANT):
        assert made is DATA
    elif kind is AttackKind.CLEAN_LABEL:
        assert not relabelled.any() and (DATA.train.labels[changed] == 2).all()
        assert changed.sum() == 10
    elif kind in (AttackKind.BELT, AttackKind.WARP):
        assert changed.sum() == 90 and (made.train.labels[changed] != 2).sum() >= 20
    else:
        assert changed.sum() == 60
    again = poisoned(DATA, kind, 0.1, 2, seed=1)
    assert np.array_equal(again.train.images, made.train.images)


@pytest.mark.parametrize("kind", list(AttackKind))
@pytest.mark.parametrize("channels", [1, 3])
def test_a_trigger_is_the_same_for_every_sample_and_keeps_the_shape(
    kind: AttackKind, channels: int
) -> None:
    images = np.full((3, 32, 32, channels), 100, np.uint8)
    images[:, 10:20, 5:25] = 200
    laid = trigger_of(kind)(images)
    assert laid.shape == images.shape and laid.dtype == np.uint8
    assert (laid != images).any() and np.array_equal(laid[0], laid[2])


def test_low_amplitudes_are_low() -> None:
    images = np.full((1, 32, 32, 1), 100, np.uint8)
    assert np.abs(kinds.sine(images).astype(int) - 100).max() == 20
    moved = kinds.warp(striped_task().test.images[:4])
    assert np.abs(moved.astype(int) - striped_task().test.images[:4]).mean() < 60


def test_success_counts_samples_of_other_classes() -> None:
    truth = np.array([0, 1, 1, 2, 1])
    before, after = np.array([0, 1, 0, 2, 1]), np.array([0, 0, 0, 0, 1])
    assert success(before, after, truth, 0) == pytest.approx(2 / 3)


def test_no_command_of_a_user_can_reach_the_attacks() -> None:
    for path in PACKAGE.rglob("*.py"):
        inside = (
            {"attacks", "bench"} & set(path.relative_to(PACKAGE / "audit").parts[:1])
            if (path.is_relative_to(PACKAGE / "audit"))
            else set()
        )
        if inside:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            module = node.module if isinstance(node, ast.ImportFrom) else None
            assert not (module or "").startswith("rbnn.audit.attacks"), path
    for path in (PACKAGE / "audit" / "attacks").glob("*.py"):
        assert path.read_text().startswith('"""TEST-ONLY'), path
