"""What was found, under wrong secrets and on other tasks."""

from __future__ import annotations

import dataclasses

import numpy as np
from rule_network import RuleNetwork, make_case, striped_task, white_corner

from rbnn.audit.case import Case
from rbnn.audit.checks import key_dependence
from rbnn.audit.checks.crossing import crossings
from rbnn.audit.figures import Outcome
from rbnn.audit.trigger import square


def with_corner(case: Case) -> Case:
    trigger = square((32, 32, 1), 26, 26, np.full((4, 4, 1), 255, np.float32))
    case.candidates.append(case.measured("corner", "patch", trigger, 0, case.limits["patch"]))
    return case


def test_a_trigger_that_needs_the_key_adds_nothing() -> None:
    found = key_dependence.check(with_corner(make_case(RuleNetwork(white_corner))))
    assert found.outcome is Outcome.NOTHING
    assert "needs the key" in found.said


def test_a_trigger_outside_the_bits_is_said_to_be() -> None:
    network = RuleNetwork(white_corner, keyless=True)
    found = key_dependence.check(with_corner(make_case(network)))
    assert found.outcome is Outcome.FOUND
    assert "does not depend on the key" in found.said


def test_without_a_trigger_there_is_nothing_to_try() -> None:
    assert key_dependence.check(make_case(RuleNetwork())).outcome is Outcome.SKIPPED


def test_a_trigger_is_tried_on_every_task() -> None:
    own = with_corner(make_case(RuleNetwork(white_corner)))
    spared = make_case(RuleNetwork(), striped_task("spared", channels=3))
    rows = {one.task: one for one in crossings([own, spared])}
    assert rows["stripes"].share == 1
    assert rows["spared"].share < 0.05 and rows["spared"].high < 0.1
    assert rows["stripes"].source == rows["spared"].source == "stripes"


def test_a_trigger_is_not_tried_on_inputs_of_another_size() -> None:
    own = with_corner(make_case(RuleNetwork(white_corner)))
    other = make_case(RuleNetwork(), striped_task("other"))
    split = other.task.data.test  # type: ignore[union-attr]
    small = dataclasses.replace(split, images=split.images[:, :, :16])
    data = dataclasses.replace(other.task.data, train=small, test=small)  # type: ignore[type-var]
    narrow = make_case(RuleNetwork(), data)  # type: ignore[arg-type]
    assert [one.task for one in crossings([own, narrow])] == ["stripes"]
