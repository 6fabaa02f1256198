"""``rbnn train --resume RUN --repair TASK``: a new run, and what the repair was worth."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from rule_network import striped_task
from typer.testing import CliRunner, Result

from rbnn.audit import repair as repairs
from rbnn.audit.attacks.kinds import AttackKind
from rbnn.audit.attacks.poison import poisoned
from rbnn.audit.checks import patch_sweep
from rbnn.audit.repair import RepairedTrigger, RepairReport
from rbnn.cli.main import build
from rbnn.errors import RbnnError
from rbnn.runs.parameters import ModelParameters
from rbnn.runs.run import Run
from rbnn.runs.settings import Settings
from rbnn.runs.start import start_run


def train(*arguments: object) -> Result:
    return CliRunner().invoke(build(), ["train", *map(str, arguments)])


def report(**fields: object) -> RepairReport:
    usual: dict[str, object] = {
        "task": "stripes", "steps": 1, "samples": 200, "accuracy_before": 0.9,
        "accuracy_after": 0.89, "triggers": (), "woken": (), "searched": ("patch sweep",),
    }  # fmt: skip
    return RepairReport(**{**usual, **fields})  # type: ignore[arg-type]


def test_a_verdict_never_says_that_the_backdoor_is_gone() -> None:
    one = RepairedTrigger(name="white 5x5", target="a", before=0.9, after=0.02)
    assert "may still sleep" in report(triggers=(one,)).verdict
    assert "only sleeps" in report(triggers=(one,), woken=("black 5x5 to a (80 %)",)).verdict
    assert "cannot be measured" in report().verdict


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--tasks", "digits", "--repair", "digits"], "--repair requires --resume"),
        (["--resume", "x", "--repair", "a", "--epochs", "3"], "--epochs cannot be combined"),
        (["--resume", "x", "--repair", "a", "--forget-own"], "--forget-own cannot be combined"),
        (["--resume", "nowhere", "--repair", "a"], "nowhere is not a run folder"),
    ],
)
def test_repair_stands_by_itself(options: list[str], said: str) -> None:
    done = train(*options)
    assert isinstance(done.exception, RbnnError) and said in str(done.exception)


@pytest.mark.slow
def test_a_repaired_task_is_a_new_run_with_the_same_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rbnn.train.trainer import Trainer

    data = poisoned(striped_task(), AttackKind.PATCH, 0.15, 0, seed=1)
    settings = Settings(width=32, batch=20, steps=60, precision="float32", seed=5)
    run = start_run(tmp_path, [data], settings)
    Trainer(run, [data]).fit()
    monkeypatch.setattr(repairs, "load_data", lambda config, progress=None: [data])
    monkeypatch.setattr(repairs, "STEPS", 8)
    monkeypatch.setattr(patch_sweep, "SAMPLES", 4)
    monkeypatch.setattr(repairs, "FEWEST_CLASSES", 99)
    monkeypatch.setattr(repairs.inversion, "STEPS", 5)
    before = {path: path.read_bytes() for path in run.folder.rglob("*") if path.is_file()}
    done = train("--resume", run.folder, "--repair", "stripes", "--json")
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    made = Run(Path(document["run"]))
    assert made.folder.name == f"{run.folder.name}-repaired-stripes"
    assert before == {path: path.read_bytes() for path in run.folder.rglob("*") if path.is_file()}
    old, new = (ModelParameters.load(one.parameters_file) for one in (run, made))
    for number, kernel in old.kernels.items():
        assert np.array_equal(kernel, new.kernels[number])
    first = next(iter(old.normalisations["stripes"]))
    changed = new.normalisations["stripes"][first]
    assert not np.array_equal(old.normalisations["stripes"][first].beta, changed.beta)
    assert made.secrets() == run.secrets()
    assert document["samples"] == 200 and document["verdict"]
    held = json.loads((made.folder / "audit" / "repair.json").read_text())
    assert held["accuracy_after"] == document["accuracy_after"] > 0.5
    again = train("--resume", run.folder, "--repair", "stripes")
    assert isinstance(again.exception, RbnnError) and "exists" in str(again.exception)
    unknown = train("--resume", run.folder, "--repair", "smell")
    assert "no task 'smell'" in str(unknown.exception)
