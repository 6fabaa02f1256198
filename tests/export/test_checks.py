"""No export reaches a board unchecked, and saturated numbers are reported with figures."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rbnn.container.errors import ExportError
from rbnn.device import deploy
from rbnn.device.source import find_source
from rbnn.errors import ExitCode
from rbnn.export import checks
from rbnn.export.export import NO_PROVIDER, Export, export_run
from rbnn.export.saturation import Counts, summarise
from rbnn.export.verify import TaskCheck, most_differing, require_passed, verify_task, warnings
from rbnn.runs.parameters import ModelParameters
from rbnn.runs.run import Run

GOOD = TaskCheck(
    task="colour", samples=200, differing_outputs=0, accuracy=0.9, keras_accuracy=0.9,
    agreement=1.0, whole=False,
)  # fmt: skip


@pytest.fixture(scope="module")
def made(random_export: Callable[..., Any]) -> Any:
    return random_export(architecture="resnet", depth=2)


@pytest.fixture
def run(made: Any, tmp_path: Path) -> Run:
    """A copy of the run that a test may spoil."""
    shutil.copytree(made.run.folder, tmp_path / "run")
    return Run(tmp_path / "run")


class Verifier:
    """Stands for ``verify_run``: gives what it is told and counts its calls."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, result: TaskCheck) -> None:
        self.calls = 0
        self.result = result
        monkeypatch.setattr(checks, "load_data", lambda *_: [])
        monkeypatch.setattr(checks, "verify_run", self)

    def __call__(self, *_: object, samples: int, compared: int) -> list[TaskCheck]:
        assert (samples, compared) == (200, 16)
        self.calls += 1
        return [self.result]


def test_a_check_is_recorded_and_not_made_again(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    verifier, said = Verifier(monkeypatch, GOOD), []
    for _ in range(2):
        checks.require_checked(run, Export.read(run.export_folder), said.append)
    assert verifier.calls == 1
    assert said == ["Checking the export on 200 test samples of each task, against Keras."]
    assert checks.recorded(Export.read(run.export_folder)) == (GOOD,)


def test_other_parameters_are_checked_again(
    run: Run, made: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    verifier = Verifier(monkeypatch, GOOD)
    checks.require_checked(run, Export.read(run.export_folder), lambda _: None)
    parameters = ModelParameters.load(run.parameters_file)
    parameters.kernels[0][:] *= -1
    parameters.save(run.parameters_file)
    checks.require_checked(run, export_run(run, NO_PROVIDER, samples=made.images), lambda _: None)
    assert verifier.calls == 2


def test_a_failed_check_keeps_failing(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The export is complete and current all the same: it was written before it was checked."""
    Verifier(monkeypatch, GOOD.model_copy(update={"agreement": 0.7}))
    for _ in range(2):
        with pytest.raises(ExportError, match=r"same class in only 70\.00 % of 200 samples"):
            checks.require_checked(run, Export.read(run.export_folder), lambda _: None)


def test_flash_checks_before_it_builds(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[object] = []
    monkeypatch.setattr(deploy, "prepare", lambda *arguments, **_: found.append(arguments[-1]))
    source = find_source(
        run.folder, runs=run.folder, provider_key=run.folder / "key", test_only=False,
        say=lambda _: None,
    )  # fmt: skip
    source.prepare(None, type("Key", (), {"public": NO_PROVIDER}))  # type: ignore[arg-type]
    assert found == [checks.require_checked]


def test_a_sample_may_differ_as_often_as_chance_explains() -> None:
    assert most_differing(200) == 5
    assert GOOD.model_copy(update={"agreement": 195 / 200}).passed
    assert not GOOD.model_copy(update={"agreement": 194 / 200}).passed
    assert not GOOD.model_copy(update={"agreement": 195 / 200, "whole": True}).passed


def test_a_variance_near_zero_saturates_logits_and_is_refused(run: Run, made: Any) -> None:
    parameters = ModelParameters.load(run.parameters_file)
    last = max(parameters.kernels)
    norm = parameters.normalisations["colour"][last]
    norm.variance[:], norm.mean[:], norm.gamma[:] = 1e-9, 0, 40
    parameters.save(run.parameters_file)
    export = export_run(run, NO_PROVIDER, samples=made.images)
    check = verify_task(
        export.container, 0, made.secrets["colour"], made.images["colour"], np.zeros(20, np.int64)
    )
    assert check.differing_outputs == 0
    assert check.saturation is not None and check.saturation.logits > 0.5
    with pytest.raises(
        ExportError, match=r"colour: .* saturate: \d+\.\d % of the logits"
    ) as caught:
        require_passed([check])
    assert "variance" in caught.value.fix
    assert caught.value.exit_code == ExitCode.CHECK_FAILED


def test_limited_biases_are_a_warning_with_figures(run: Run, made: Any) -> None:
    parameters = ModelParameters.load(run.parameters_file)
    parameters.normalisations["grey"][1].beta[:3] = (130, -140, 127)
    parameters.save(run.parameters_file)
    container = export_run(run, NO_PROVIDER, samples=made.images).container
    check = verify_task(
        container, 1, made.secrets["grey"], made.images["grey"], np.zeros(20, np.int64)
    )
    require_passed([check])
    (line,) = warnings([GOOD, check])
    assert line.startswith("Task grey: numbers saturate on the device: ")
    assert "layer 1 (conv): 2 biases limited to 16 bits" in line


def test_a_sound_network_has_no_warning(made: Any) -> None:
    zeros = np.zeros(20, np.int64)
    check = verify_task(
        made.export.container, 0, made.secrets["colour"], made.images["colour"], zeros
    )
    assert warnings([check]) == []
    assert check.saturation == summarise(Counts(samples=20, logits=200, streams=1), ())


def test_the_reference_may_compute_only_some(made: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    from rbnn.engine.reference import Reference

    infer = Reference.infer

    def counting(self: Reference, images: Any) -> Any:
        seen.append(len(images))
        return infer(self, images)

    monkeypatch.setattr(Reference, "infer", counting)
    check = verify_task(
        made.export.container, 0, made.secrets["colour"], made.images["colour"],
        np.zeros(20, np.int64), compared=7,
    )  # fmt: skip
    assert (seen, check.samples, check.differing_outputs) == ([7], 20, 0)
