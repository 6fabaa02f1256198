"""The table of training settings: each entry is complete, and a new one needs no other edit."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import rbnn
from rbnn.runs.errors import TrainingError
from rbnn.runs.setting import KEPT, Row, Setting, parse_counts, table_of
from rbnn.runs.settings import TABLE, Settings

TOY = """
    momentum: Annotated[float, Setting(
        help="Momentum of the toy optimiser.",
        allowed=between(0, 1),
        fixed=True, single_task=0.25,
        row=Row("toy momentum"), text="{:g} at each step",
        remark="The toy momentum is {:g}.",
    )] = 0.5

"""
"""A setting that the package does not have."""

PROBE = """
import json
from pathlib import Path

import numpy as np
from typer.testing import CliRunner

from rbnn.cli.main import build
from rbnn.compare.choice import ComparisonChoice, draft, settle
from rbnn.compare.document import document
from rbnn.compare.figures import collect, compare
from rbnn.report.settings import settings, train_options
from rbnn.runs.settings import Settings
from rbnn.runs.start import start_run
from rbnn.tasks import TaskData
from rbnn.tasks.dataset import Split

app = build()


def typed(*words):
    done = CliRunner().invoke(app, words, env={"COLUMNS": "200"})
    return " ".join(f"{done.output} {done.exception or ''}".split())


def task(name):
    images = np.random.default_rng(1).integers(0, 256, (8, 32, 32, 1), dtype=np.uint8)
    split = Split(images, np.arange(8) % 2)
    return TaskData(name, ("no", "yes"), split, split, name, name, "image")


data = [task("digits"), task("words")]
run = start_run(Path("runs"), data, Settings(momentum=0.75))
config = run.config()
folder = Path("comparison")
specs, choice = draft(folder, ["digits", "words"], ComparisonChoice({"momentum": 0.75}, (1,)))
plan = settle(folder, specs, choice, data)
try:
    draft(folder, None, ComparisonChoice({"momentum": 0.5}))
    refused = ""
except Exception as error:
    refused = str(error)
print(json.dumps({
    "help": typed("train", "--help"),
    "help of bench accuracy": typed("bench", "accuracy", "--help"),
    "typed above 1": typed("train", "--tasks", "digits", "--momentum", "1.5"),
    "resumed": typed("train", "--resume", "nowhere", "--momentum", "0.75"),
    "config.json": json.loads(run.config_file.read_text()),
    "single task": config.single_task("digits", 7).momentum,
    "rows": settings(config),
    "command": train_options(config),
    "benchmark.json": json.loads((folder / "benchmark.json").read_text())["settings"],
    "command of the comparison": plan.command,
    "settings of its runs": plan.training(1).momentum,
    "refused by the comparison": refused,
    "page of the comparison": document(compare(plan, collect(folder, plan)), {}),
}))
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What a copy of the package with :data:`TOY` in its table makes of it."""
    place = tmp_path_factory.mktemp("toy")
    source = Path(rbnn.__file__).parent
    shutil.copytree(source, place / "rbnn", ignore=shutil.ignore_patterns("__pycache__"))
    table = place / "rbnn" / "runs" / "settings.py"
    before, after = table.read_text().split("    seed: Annotated[")
    table.write_text(f"{before}{TOY.lstrip(chr(10))}    seed: Annotated[{after}")
    probe = place / "probe.py"
    probe.write_text(PROBE)
    done = subprocess.run(
        [sys.executable, str(probe)],
        cwd=place,
        env={**os.environ, "PYTHONPATH": str(place)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_new_setting_is_an_option(found: Any) -> None:
    for command in ("help", "help of bench accuracy"):
        assert "--momentum" in found[command]
        assert "Momentum of the toy optimiser. Default: 0.5." in found[command]
    assert "--momentum must be from 0 to 1. Received: 1.5." in found["typed above 1"]
    assert "--momentum cannot change" in found["resumed"]


def test_a_new_setting_comes_last_in_the_config(found: Any) -> None:
    assert list(found["config.json"].items())[-1] == ("momentum", 0.75)


def test_a_new_setting_is_reset_in_a_single_task_network(found: Any) -> None:
    assert found["single task"] == 0.25


def test_a_new_setting_is_reported_and_reproduced(found: Any) -> None:
    assert found["rows"]["toy momentum"] == "0.75 at each step"
    words = found["command"]
    assert words[words.index("--momentum") + 1] == "0.75"


def test_a_new_setting_belongs_to_a_comparison(found: Any) -> None:
    assert found["benchmark.json"]["momentum"] == 0.75
    assert "--momentum 0.75" in found["command of the comparison"]
    assert found["settings of its runs"] == 0.75
    assert "--momentum 0.75, not 0.5" in found["refused by the comparison"]
    assert "The toy momentum is 0.75." in found["page of the comparison"]


@pytest.mark.parametrize("setting", TABLE.values(), ids=TABLE)
def test_every_setting_is_complete(setting: Setting) -> None:
    assert setting.help.endswith(".") and setting.help[0].isupper()
    assert setting.option.startswith("--")
    assert isinstance(setting.fixed, bool)
    defaults = Settings()
    assert getattr(defaults, setting.name) == setting.default
    if setting.single_task is not KEPT:
        Settings(**{setting.name: setting.single_task})
    for other in (*setting.needs, setting.refines):
        assert other is None or other in TABLE


def test_the_decisions_about_a_setting_cannot_be_left_out() -> None:
    whole: dict[str, Any] = {"help": "A.", "fixed": True, "single_task": KEPT, "row": Row("a")}
    Setting(**whole)
    for name in whole:
        with pytest.raises(TypeError, match=name):
            Setting(**{key: value for key, value in whole.items() if key != name})


def test_the_table_holds_every_field() -> None:
    assert list(table_of(Settings)) == list(TABLE) == list(Settings.model_fields)


def test_a_setting_that_refines_another_one_rests_without_it() -> None:
    def names(**values: object) -> list[str]:
        return [setting.name for setting, _ in Settings(**values).effective()]  # type: ignore[arg-type]

    assert "temperature" not in names(temperature=0.0)
    assert {"distill", "temperature"} < set(names(distill=0.5))
    TABLE["temperature"].check(2.0)
    with pytest.raises(TrainingError, match=r"--temperature must be above 0 and finite\. Rec.*: 0"):
        TABLE["temperature"].check(0.0)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("architecture", "vgg", ["--arch", "vgg"]),
        ("superpose", True, ["--superpose"]),
        ("shares", {"a": 2.0, "b": 0.5}, ["--share", "a=2.0", "--share", "b=0.5"]),
        ("learning_rate", 0.01, ["--learning-rate", "0.01"]),
        ("seed", 0, ["--seed", "0"]),
    ],
)
def test_settings_are_typed_as_options(name: str, value: object, words: list[str]) -> None:
    assert TABLE[name].words(value) == words


@pytest.mark.parametrize("count", ["9" * 5000, "-1", "1_0", "\u0663", ""])
def test_a_count_that_is_none_is_refused_in_a_line(count: str) -> None:
    with pytest.raises(TrainingError, match="--hop must be NAME=COUNT") as refusal:
        parse_counts("--hop", [f"imu={count}"])
    assert len(str(refusal.value)) < 300
