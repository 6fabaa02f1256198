"""A comparison is started, continued and extended; its settings cannot change."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from rbnn.compare.choice import ComparisonChoice, draft, parse_numbers, parse_schemes, settle
from rbnn.compare.plan import ComparisonPlan, locked, read_plan, record_steps, require_plan
from rbnn.errors import RbnnError
from rbnn.tasks import TaskData
from rbnn.tasks.dataset import Split


def make_task(name: str, seed: int = 1) -> TaskData:
    images = np.random.default_rng(seed).integers(0, 256, (8, 32, 32, 1), dtype=np.uint8)
    split = Split(images, np.arange(8, dtype=np.int64) % 2)
    return TaskData(name, ("no", "yes"), split, split, name, name, "image")


def begin(
    folder: Path, tasks: Sequence[str] | None, choice: ComparisonChoice, data: Sequence[TaskData]
) -> ComparisonPlan:
    specs, filled = draft(folder, tasks, choice)
    return settle(folder, specs, filled, data)


DATA = [make_task("digits"), make_task("words", 2)]
NAMES = ["digits", "words"]


def test_a_new_folder_takes_defaults_and_writes_them(tmp_path: Path) -> None:
    plan = begin(
        tmp_path / "new", NAMES, ComparisonChoice({"architecture": "resnet", "steps": 40}), DATA
    )
    assert plan.seeds == (1, 2, 3)
    assert plan.schemes == ("xor", "sign", "permute", "none")
    assert plan.counts == (1, 2)
    assert plan.wrong_secrets == 20
    assert plan.settings["precision"] in ("float32", "bfloat16")
    assert plan.training(7).seed == 7
    assert plan.training(7).steps == 40
    assert read_plan(tmp_path / "new") == plan


def test_the_command_makes_the_same_plan_again(tmp_path: Path) -> None:
    shares = {"digits": 2.0, "words": 0.5}
    settings = {"architecture": "resnet", "width": 32, "shares": shares, "learning_rate": 0.002}
    settings["weights"] = {"words": 1.5}
    plan = begin(tmp_path, NAMES, ComparisonChoice(settings, (4,), ("xor",), (2,), 3), DATA)
    precision = plan.settings["precision"]
    assert plan.command == (
        "rbnn bench accuracy --tasks digits,words --arch resnet --width 32 "
        "--share digits=2.0 --share words=0.5 --weight words=1.5 --learning-rate 0.002 "
        f"--precision {precision} --seeds 4 --schemes xor --counts 2 --wrong-secrets 3"
    )


def test_the_command_names_a_switch_without_a_value(tmp_path: Path) -> None:
    settings = {"distill": 0.5, "superpose": True}
    plan = begin(tmp_path, NAMES, ComparisonChoice(settings, (1,), ("xor",), (2,)), DATA)
    assert "--superpose --distill 0.5 --seeds 1" in plan.command.replace(
        f"--precision {plan.settings['precision']} ", ""
    )


def test_an_existing_comparison_keeps_its_settings_and_grows(tmp_path: Path) -> None:
    begin(tmp_path, NAMES, ComparisonChoice({"width": 32}, (1,), ("xor",), (2,), 3), DATA)
    again = begin(tmp_path, None, ComparisonChoice(), DATA)
    assert (again.seeds, again.settings["width"]) == ((1,), 32)
    more = begin(tmp_path, NAMES, ComparisonChoice({"width": 32}, (2,), ("none",), (1,)), DATA)
    assert (more.seeds, more.schemes, more.counts) == ((2,), ("none",), (1,))
    kept = require_plan(tmp_path)
    assert (kept.seeds, kept.schemes, kept.counts) == ((1, 2), ("xor", "none"), (1, 2))


@pytest.mark.parametrize(
    ("tasks", "settings", "said"),
    [
        (["digits"], {}, "--tasks digits,words, not digits"),
        (NAMES, {"width": 64}, "--width 32, not 64"),
        (NAMES, {"architecture": "reactnet"}, "--arch vgg, not reactnet"),
        (NAMES, {"depth": 3}, "--depth its default, not 3"),
        (NAMES, {"learning_rate": 0.1}, "--learning-rate 0.01, not 0.1"),
        (NAMES, {"sampling": 0.5}, "--sampling 0.0, not 0.5"),
        (NAMES, {"weights": {"words": 2.0}}, "--weight its default, not words=2.0"),
    ],
)
def test_other_settings_are_refused(
    tmp_path: Path, tasks: list[str], settings: dict[str, object], said: str
) -> None:
    begin(tmp_path, NAMES, ComparisonChoice({"width": 32}), DATA)
    with pytest.raises(RbnnError, match=said):
        draft(tmp_path, tasks, ComparisonChoice(settings))


def test_other_data_are_refused(tmp_path: Path) -> None:
    begin(tmp_path, NAMES, ComparisonChoice(), DATA)
    with pytest.raises(RbnnError, match="data of task words have changed"):
        begin(tmp_path, None, ComparisonChoice(), [DATA[0], make_task("words", 3)])


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        (ComparisonChoice(counts=(3,)), "--counts must be from 1 to 2"),
        (ComparisonChoice(wrong_secrets=-1), "--wrong-secrets"),
        (ComparisonChoice({"batch": 1}), "--batch"),
        (ComparisonChoice(seeds=(-1,)), "--seed"),
        (ComparisonChoice({"architecture": "lenet"}), "lenet"),
        (ComparisonChoice({"minutes": 1.0, "distill": 0.5}), "in place of --minutes"),
        (ComparisonChoice({"minutes": 1.0}, schemes=("none",)), "--minutes needs scheme xor"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(
    tmp_path: Path, choice: ComparisonChoice, said: str
) -> None:
    with pytest.raises(RbnnError, match=said):
        draft(tmp_path / "new", NAMES, choice)
    assert not (tmp_path / "new").exists()


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(RbnnError, match="holds other files"):
        draft(tmp_path, NAMES, ComparisonChoice())
    with pytest.raises(RbnnError, match="holds no comparison"):
        draft(tmp_path, None, ComparisonChoice())


def test_a_damaged_plan_is_named(tmp_path: Path) -> None:
    (tmp_path / "benchmark.json").write_text('{"version": 9}')
    with pytest.raises(RbnnError, match=r"benchmark\.json"):
        require_plan(tmp_path)


def test_two_at_once_are_refused(tmp_path: Path) -> None:
    with locked(tmp_path), pytest.raises(RbnnError, match="is running"), locked(tmp_path):
        pass
    with locked(tmp_path):
        pass


def test_the_first_timed_network_sets_the_steps(tmp_path: Path) -> None:
    begin(tmp_path, NAMES, ComparisonChoice({"minutes": 1.0}), DATA)
    record_steps(tmp_path, 120)
    record_steps(tmp_path, 99)
    begin(tmp_path, None, ComparisonChoice(seeds=(9,)), DATA)
    assert require_plan(tmp_path).steps == 120


def test_lists_are_parsed() -> None:
    assert parse_numbers("--seeds", "3, 1") == (3, 1)
    assert parse_schemes("none,xor") == ("none", "xor")
    for text in ("", "1,x", "1,,2", "1,1"):
        with pytest.raises(RbnnError, match="--seeds"):
            parse_numbers("--seeds", text)
    for text in ("and", "xor,xor"):
        with pytest.raises(RbnnError, match="--schemes"):
            parse_schemes(text)
