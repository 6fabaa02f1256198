"""``rbnn bench theft --attack`` on two tiny tasks: the controls break, the key streams do not."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from rbnn.cli.main import build
from rbnn.errors import RbnnError
from rbnn.runs.config import RunConfig
from rbnn.runs.errors import TrainingInterruptedError
from rbnn.runs.run import Run
from rbnn.tasks import TaskData
from rbnn.theft.attacks import experiment as attack_bench
from rbnn.theft.attacks.cells import KeyThief
from rbnn.theft.attacks.experiment import plan_attack
from rbnn.theft.experiment import TheftSettings
from rbnn.theft.plan import plan_experiment


def bench(run: Run, attack: str, out: Path, *options: str) -> Result:
    usual = ["--victim", "colour", "--shares", "10", "--seeds", "1", "--steps", "2"]
    return CliRunner().invoke(
        build(),
        [
            "bench",
            "theft",
            str(run.folder),
            "--attack",
            attack,
            "--out",
            str(out),
            *usual,
            *options,
        ],
    )


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch, data: Sequence[TaskData]) -> None:
    """The tiny tasks are found by name."""

    def find(config: RunConfig, progress: object = None) -> list[TaskData]:
        names = [task.name for task in config.tasks]
        return [task for task in data if task.name in names]

    monkeypatch.setattr(attack_bench, "load_data", find)


def outcomes(document: Any) -> dict[str, str]:
    return {one["question"]: one["outcome"] for one in document["verdicts"]}


def forbid(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    def fail(*_: object) -> None:
        raise AssertionError("computed twice")

    monkeypatch.setattr(KeyThief, name, fail)


@pytest.mark.usefixtures("known")
def test_an_oracle_predicts_weak_keys_and_no_key_stream(
    trained: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = bench(trained, "oracle", tmp_path, "--queries", "600", "--json")
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    assert outcomes(document) == {
        "predict": "passed", "sign": "passed", "short": "passed",
        "even": "passed", "climb": "passed", "climb control": "passed",
    }  # fmt: skip
    assert (tmp_path / "oracle.md").stat().st_size > 1000
    forbid(monkeypatch, "ask")
    assert bench(trained, "oracle", tmp_path, "--queries", "600").exit_code == 0
    other = bench(trained, "genetic", tmp_path, "--queries", "600")
    assert "holds another experiment: its attack is oracle" in str(other.exception)


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize("attack", ["oracle", "genetic"])
def test_ctrl_c_says_how_to_continue(
    trained: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, attack: str
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(KeyThief, "ask", interrupt)
    monkeypatch.setattr(KeyThief, "compute", interrupt)
    stopped = bench(trained, attack, tmp_path)
    assert isinstance(stopped.exception, TrainingInterruptedError)
    assert str(tmp_path) in stopped.exception.what
    assert stopped.exception.fix == "Continue with the same command."
    assert [path.name for path in tmp_path.iterdir()] == ["experiment.json"]


@pytest.mark.usefixtures("known")
def test_a_genetic_search_finds_few_bits_and_no_key(
    trained: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ["--queries", "200", "--shares", "100"]
    done = bench(trained, "genetic", tmp_path, *options, "--json")
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    assert outcomes(document) == {"bits": "open", "control": "open"}  # one victim
    bits, _, control = document["searches"]
    assert control["test_accuracy"] > control["first_accuracy"] + 0.1
    assert abs(bits["right_bits"] / bits["unknown_bits"] - 0.5) < 0.01
    forbid(monkeypatch, "compute")
    assert bench(trained, "genetic", tmp_path, *options).exit_code == 0
    assert "known" in (tmp_path / "genetic.md").read_text()


@pytest.mark.usefixtures("known")
def test_a_gradient_finds_no_key_and_keeps_a_known_one(
    trained: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ["--known", "99", "--shares", "100"]
    done = bench(trained, "gradient", tmp_path, *options, "--json")
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    bits, random, control = document["searches"]
    assert [one["ground"] for one in (bits, random, control)] == ["bits", "random", "known"]
    assert control["test_accuracy"] > max(bits["test_accuracy"], random["test_accuracy"])
    assert abs(bits["right_bits"] / bits["unknown_bits"] - 0.5) < 0.01
    assert not (tmp_path / "work").exists()
    forbid(monkeypatch, "compute")
    assert bench(trained, "gradient", tmp_path, *options).exit_code == 0
    assert "99 % of the key bits are known" in (tmp_path / "gradient.md").read_text()


@pytest.mark.parametrize("held", ["oracle", "genetic", "fine-tuning"])
def test_a_folder_of_another_attack_is_refused(trained: Run, tmp_path: Path, held: str) -> None:
    """And what it holds stays as it is."""
    settings = TheftSettings(steps=2, attack=held)
    plan = plan_experiment(trained, None, 2, None, 1.0)
    (plan if held == "fine-tuning" else plan_attack(trained, settings)).hold(tmp_path)
    before = (tmp_path / "experiment.json").read_bytes()
    for attack in ("oracle", "gradient", "fine-tuning"):
        if attack != held:
            done = bench(trained, attack, tmp_path)
            assert isinstance(done.exception, RbnnError)
            said = f"holds another experiment: its attack is {held}, here it is {attack}."
            assert said in str(done.exception)
    assert (tmp_path / "experiment.json").read_bytes() == before


def test_an_experiment_file_that_names_no_attack_is_of_fine_tuning(
    trained: Run, tmp_path: Path
) -> None:
    plan = plan_experiment(trained, None, 2, None, 1.0)
    older = json.loads(plan.model_dump_json(exclude={"attack"}))
    (tmp_path / "experiment.json").write_text(json.dumps(older))
    plan.hold(tmp_path)


def test_an_unknown_attack_is_refused_with_the_known_ones(trained: Run, tmp_path: Path) -> None:
    done = bench(trained, "guess", tmp_path / "out")
    assert done.exit_code == 2
    for name in ("guess", "fine-tuning", "oracle", "genetic", "gradient"):
        assert name in done.output
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [(["--queries", "0"], "--queries"), (["--unknown", "0"], "--unknown"),
     (["--known", "100"], "--known")],
)  # fmt: skip
def test_bad_options_are_refused_before_anything_is_written(
    trained: Run, tmp_path: Path, options: list[str], said: str
) -> None:
    done = bench(trained, "genetic", tmp_path / "out", *options)
    assert isinstance(done.exception, RbnnError)
    assert said in str(done.exception)
    assert not (tmp_path / "out").exists()
