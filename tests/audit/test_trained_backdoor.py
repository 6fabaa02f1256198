"""A backdoor that was trained into a tiny network is found in its integers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from rule_network import striped_task

from rbnn.audit.attacks.kinds import AttackKind, trigger_of
from rbnn.audit.attacks.poison import poisoned, success
from rbnn.audit.case import Case
from rbnn.audit.checks import float_deployed, inversion, patch_sweep
from rbnn.audit.deployed import Deployed
from rbnn.audit.figures import Outcome
from rbnn.audit.keras_path import KerasPath, agreement
from rbnn.audit.limits import LEAST, LIMITS, Input
from rbnn.audit.subject import AuditedTask
from rbnn.export.integer_predictor import current_container
from rbnn.runs.run import Run
from rbnn.runs.settings import Settings
from rbnn.runs.start import start_run
from rbnn.tasks import TaskData

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def data() -> TaskData:
    return poisoned(striped_task(), AttackKind.PATCH, 0.15, 0, seed=1)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, data: TaskData) -> Run:
    from rbnn.train.trainer import Trainer

    settings = Settings(width=32, batch=30, steps=120, precision="float32", seed=5)
    made = start_run(tmp_path_factory.mktemp("backdoor"), [data], settings)
    Trainer(made, [data]).fit()
    return made


@pytest.fixture
def case(run: Run, data: TaskData) -> Case:
    task = AuditedTask(data.name, data.labels, data.kind, data)
    return Case(task, Deployed(current_container(run), run.secrets()), run, quick=True)


def test_the_patch_sweep_finds_it(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    test = case.measure
    laid = case.deployed.classes(case.name, trigger_of(AttackKind.PATCH)(test.images))
    reached = success(case.answers, laid, test.labels, 0)
    assert reached > 0.6, "the network has not learnt its backdoor"
    monkeypatch.setattr(patch_sweep, "SAMPLES", 12)
    # A network of 120 steps obeys its trigger less than the limit of larger ones asks for.
    monkeypatch.setitem(LIMITS[Input.PICTURE], "patch", LEAST["patch"])
    found = patch_sweep.check(case)
    assert found.outcome is Outcome.FOUND
    best = next(one for one in found.triggers if one.found)
    assert best.target == "stripes0" and best.share > reached / 2


def test_a_small_mask_to_the_target_is_inverted(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inversion, "STEPS", 60)
    monkeypatch.setattr(inversion, "STARTS", 1)
    found = inversion.check(case)
    sizes = {bar.label: bar.value for bar in found.charts[1].bars}
    assert min(sizes, key=lambda label: sizes[label]) == "stripes0", found.said
    assert "C engine" in found.said and found.triggers
    assert [one.name for one in found.scores] == ["small mask"]


def test_latent_binarized_and_integer_paths_are_compared(case: Case, run: Run) -> None:
    case.candidates.clear()
    found = float_deployed.check(case)
    assert found.outcome in (Outcome.NOTHING, Outcome.SKIPPED)
    shown = {bar.label: bar.value for bar in found.charts[0].bars}
    assert set(shown) == {"latent weights", "binarized in Keras", "integers"}
    binarized = KerasPath(run).classes(case.name, case.measure.images)
    assert agreement(binarized, case.answers) >= 0.98
    latent = KerasPath(run, latent=True)
    latent.prepare(case.name, case.search.images)
    assert np.unique(latent.classes(case.name, case.measure.images)).size > 1


def test_a_run_is_left_as_it_was(case: Case, run: Run) -> None:
    before = {path: path.read_bytes() for path in Path(run.folder).rglob("*.npz")}
    float_deployed.check(case)
    assert before == {path: path.read_bytes() for path in Path(run.folder).rglob("*.npz")}
