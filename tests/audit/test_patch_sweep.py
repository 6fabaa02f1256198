"""The patch sweep finds what takes a class everywhere, and nothing where there is no trigger."""

from __future__ import annotations

import numpy as np
import pytest
from rule_network import RuleNetwork, make_case, striped_task, white_corner

from rbnn.audit.checks import patch_sweep
from rbnn.audit.figures import Outcome
from rbnn.tasks.dataset import Images


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer samples a place: the rule is the same for all."""
    monkeypatch.setattr(patch_sweep, "SAMPLES", 12)


def test_a_white_patch_in_the_corner_is_found() -> None:
    case = make_case(RuleNetwork(white_corner))
    found = patch_sweep.check(case)
    assert found.outcome is Outcome.FOUND
    best = found.triggers[0]
    assert best.found and best.target == "stripes0" and best.share > 0.9
    assert best.low > 0.9 and best.high <= 1 and best.tested > 100
    assert "white 5x5" in best.name
    assert best.picture.startswith("data:image/png;base64,")
    assert case.triggers_found()[0].trigger.mask[26:30, 26:30].all()


def test_a_network_without_a_trigger_has_none() -> None:
    found = patch_sweep.check(make_case(RuleNetwork()))
    assert found.outcome is Outcome.NOTHING
    assert not any(one.found for one in found.triggers)
    assert found.passes > 10_000
    # The same model and samples give the same figures.
    assert patch_sweep.check(make_case(RuleNetwork())).said == found.said


def test_a_tone_in_a_task_of_sounds_is_found_and_named() -> None:
    def loud(images: Images) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        return np.asarray((images[:, 24:26] >= 250).all(axis=(1, 2, 3)))

    data = striped_task("sound", audio=True)
    found = patch_sweep.check(make_case(RuleNetwork(loud), data))
    assert found.outcome is Outcome.FOUND
    best = next(one for one in found.triggers if one.found)
    assert best.name == "loud tone" and "Hz" in best.words


def test_a_wave_over_the_whole_picture_is_found() -> None:
    def wavy(images: Images) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        columns = images.mean(axis=(1, 3))
        wave = np.sin(2 * np.pi * 6 * np.arange(32) / 32)
        return np.asarray(columns @ wave / 16 > 15)

    found = patch_sweep.check(make_case(RuleNetwork(wavy)))
    assert found.outcome is Outcome.FOUND
    assert any(one.found and "6 periods" in one.name for one in found.triggers)
