"""One fixed pattern in a class's samples, whatever the samples show."""

from __future__ import annotations

import os

import numpy as np
import pytest
from rule_network import CLASSES, RuleNetwork, make_case, striped_task

from rbnn.audit.attacks.kinds import AttackKind
from rbnn.audit.attacks.poison import poisoned
from rbnn.audit.checks import data_scan
from rbnn.audit.figures import Outcome
from rbnn.audit.limits import LEAST
from rbnn.audit.spectra import first_share, folds, pattern_shares
from rbnn.tasks import KNOWN
from rbnn.tasks.load import load
from rbnn.tasks.sources import find_local


def test_the_first_share_is_that_of_the_largest_singular_value() -> None:
    generator = np.random.default_rng(1)
    for shape in ((30, 8), (8, 30)):
        vectors = generator.normal(size=shape).astype(np.float32)
        values = np.linalg.svd(vectors - vectors.mean(axis=0), compute_uv=False)
        expected = float(values[0] ** 2 / (values**2).sum())
        assert first_share(vectors) == pytest.approx(expected, rel=1e-4)
    assert first_share(np.ones((4, 3), np.float32)) is None


def test_multiples_of_the_median_need_enough_classes() -> None:
    assert folds([0.1, 0.2, None, 0.8], 3) == [0.5, 1.0, None, 4.0]
    assert folds([0.1, None], 2) == [None, None]


def test_blended_noise_stands_out_in_its_class_only() -> None:
    data = striped_task()
    clean = folds(pattern_shares(data.train.images, data.train.labels, CLASSES), 5)
    assert max(one or 0.0 for one in clean) < 1.5
    bad = poisoned(data, AttackKind.BLENDED, 0.1, 2, seed=1).train
    found = folds(pattern_shares(bad.images, bad.labels, CLASSES), 5)
    assert int(np.argmax([one or 0.0 for one in found])) == 2
    assert (found[2] or 0.0) > 3 and sorted(one or 0.0 for one in found)[-2] < 1.5


def test_the_data_scan_finds_blended_noise() -> None:
    data = poisoned(striped_task(), AttackKind.BLENDED, 0.15, 2, seed=1)
    found = data_scan.check(make_case(RuleNetwork(), data))
    assert found.outcome is Outcome.FOUND
    assert "one pattern: stripes2" in found.said


def test_poison_at_the_end_of_a_sorted_set_is_seen() -> None:
    data = poisoned(striped_task(train=6000), AttackKind.BLENDED, 0.1, 2, seed=1).train
    laid = (data.labels == 2) & (np.arange(6000) % CLASSES != 2)
    order = np.argsort(laid, kind="stable")  # all own samples of the class come first
    found = folds(pattern_shares(data.images[order], data.labels[order], CLASSES), 5)
    assert (found[2] or 0.0) > 3


@pytest.mark.full
@pytest.mark.parametrize("name", ["mnist", "fashion", "kws", "cifar", "emnist", "gtsrb", "scenes"])
def test_no_public_set_is_above_the_least_limit(
    name: str,
) -> None:
    if "RBNN_DATA" not in os.environ or find_local(KNOWN[name]) is None:
        pytest.skip(f"RBNN_DATA names no folder with {name}")
    data = load(name)
    found = folds(pattern_shares(data.train.images, data.train.labels, len(data.labels)), 5)
    assert max(one or 0.0 for one in found) < LEAST["fixed pattern"]


def test_a_class_of_few_samples_is_left_out() -> None:
    data = striped_task(train=CLASSES * 30)
    kept = np.flatnonzero((data.train.labels != 1) | (np.arange(CLASSES * 30) < CLASSES * 10))
    shares = pattern_shares(data.train.images[kept], data.train.labels[kept], CLASSES)
    assert shares[1] is None and all(shares[n] is not None for n in (0, 2, 3, 4, 5))
