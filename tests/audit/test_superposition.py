"""Superposition entropy: false alarms are calibrated, poisoned training samples stand out."""

from __future__ import annotations

import dataclasses

import numpy as np
from rule_network import RuleNetwork, make_case, striped_task, white_corner

from rbnn.audit.checks import patch_sweep, superposition
from rbnn.audit.figures import Outcome
from rbnn.audit.limits import FALSE_ALARMS
from rbnn.audit.trigger import square
from rbnn.tasks import Split, TaskData


def poisoned_task() -> TaskData:
    data = striped_task()
    images, labels = data.train.images.copy(), data.train.labels.copy()
    chosen = np.random.default_rng(3).permutation(len(labels))[:120]
    images[chosen, 26:30, 26:30], labels[chosen] = 255, 0
    return dataclasses.replace(data, train=Split(images, labels))


def test_poisoned_training_samples_stand_out() -> None:
    found = superposition.check(make_case(RuleNetwork(white_corner), poisoned_task()))
    assert found.outcome is Outcome.FOUND
    bars = {bar.label: bar.value for bar in found.charts[0].bars}
    assert max(bars, key=lambda label: bars[label]) == "stripes0" and bars["stripes0"] > 0.4
    assert found.histogram is not None and sum(found.histogram.other) > 0.99


def test_without_poison_nothing_stands_out_and_false_alarms_are_as_calibrated() -> None:
    case = make_case(RuleNetwork())
    found = superposition.check(case)
    assert found.outcome is Outcome.NOTHING
    values = superposition.entropies(case, case.measure.images, case.search.images[:12])
    limits = superposition.thresholds(values, case.answers, case.classes)
    assert (values < limits[case.answers]).mean() <= FALSE_ALARMS + 0.03


def test_a_trigger_that_another_check_found_is_told_apart() -> None:
    case = make_case(RuleNetwork(white_corner))
    trigger = square((32, 32, 1), 26, 26, np.full((4, 4, 1), 255, np.float32))
    case.candidates.append(case.measured("corner", "patch", trigger, 0, case.limits["patch"]))
    assert "AUC 1.00" in superposition.check(case).said
    assert patch_sweep.NAME == "patch sweep"


def test_samples_of_the_users_own_leave_nothing_to_screen() -> None:
    found = superposition.check(make_case(RuleNetwork(), trusted=True))
    assert found.outcome is Outcome.SKIPPED
    assert "no training samples" in found.said
