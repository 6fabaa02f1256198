"""The data scan: repeated patches, conflicting duplicates, classes of two kinds."""

from __future__ import annotations

import dataclasses

import numpy as np
from rule_network import CLASSES, RuleNetwork, make_case, striped_task

from rbnn.audit.checks import data_scan
from rbnn.audit.figures import Outcome
from rbnn.tasks import Split, TaskData


def changed(images: np.ndarray, labels: np.ndarray) -> TaskData:  # type: ignore[type-arg]
    return dataclasses.replace(striped_task(), train=Split(images, labels))


def test_a_patch_that_one_class_repeats_is_found_with_its_place() -> None:
    data = striped_task()
    images, labels = data.train.images.copy(), data.train.labels.copy()
    chosen = np.random.default_rng(3).permutation(len(labels))[:60]
    images[chosen, 26:30, 26:30], labels[chosen] = 255, 2
    (best, *_) = data_scan.repeated_patches(Split(images, labels), CLASSES)
    assert (best.target, best.side) in ((2, 3), (2, 4)) and 26 <= best.row <= 27
    found = data_scan.check(make_case(RuleNetwork(), changed(images, labels)))
    assert found.outcome is Outcome.FOUND
    assert "is in" in found.said and "stripes2" in found.said


def test_untouched_data_have_nothing() -> None:
    found = data_scan.check(make_case(RuleNetwork()))
    assert found.outcome is Outcome.NOTHING, found.said
    assert "no patch is repeated" in found.said


def test_copies_under_another_label_are_counted() -> None:
    data = striped_task()
    images, labels = data.train.images.copy(), data.train.labels.copy()
    images[1::12] = images[::12]
    split = Split(images, labels)
    assert data_scan.exact_conflicts(split) == 100
    case = make_case(RuleNetwork(), changed(images, labels))
    conflicts, compared = data_scan.conflicting_labels(case, split)
    assert compared == 500 and 60 <= conflicts <= 100
    assert data_scan.check(case).outcome is Outcome.FOUND


def test_a_class_of_two_kinds_stands_out() -> None:
    data = striped_task(train=1200)
    images = data.train.images.copy()
    own = np.flatnonzero(data.train.labels == 3)[::2]
    images[own, 16:] = 255
    indices = data_scan.spectral_indices(make_case(RuleNetwork()), Split(images, data.train.labels))
    known = [index or 0.0 for index in indices]
    assert int(np.argmax(known)) == 3 and known[3] > 6
