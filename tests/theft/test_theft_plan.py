"""A theft experiment is checked before anything is computed, and its folder holds only one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_tasks import make_task

from rbnn.errors import RbnnError
from rbnn.runs.run import Run
from rbnn.theft.plan import (
    FineTuning,
    FineTuningResult,
    choose_victims,
    parse_seeds,
    parse_shares,
    plan_cells,
    plan_experiment,
    read_result,
)
from rbnn.theft.starts import Start
from rbnn.theft.subset import share_of

TASKS = (("a", 4, 3), ("b", 10, 3), ("c", 5, 1))


@pytest.fixture
def run(random_export: Callable[..., Any]) -> Run:
    made: Run = random_export(tasks=TASKS).run
    return made


def test_shares_are_stratified_and_nested() -> None:
    data = make_task("colour", 3, 4, 1000, False)
    one, ten, all_of_it = (share_of(data, percent, 3) for percent in (0.1, 10, 100))
    np.testing.assert_array_equal(np.bincount(one.train.labels), [1, 1, 1, 1])
    np.testing.assert_array_equal(np.bincount(ten.train.labels), [25, 25, 25, 25])
    np.testing.assert_array_equal(all_of_it.train.images, data.train.images)
    assert ten.test is data.test
    seen = {image.tobytes() for image in ten.train.images}
    assert {image.tobytes() for image in one.train.images} < seen
    assert seen != {image.tobytes() for image in share_of(data, 10, 4).train.images}


def test_the_other_task_is_the_next_one_unless_named(run: Run) -> None:
    assert choose_victims(run, [], None) == {"a": "b", "b": "c", "c": "a"}
    assert choose_victims(run, ["c"], None) == {"c": "a"}
    assert choose_victims(run, [], "b") == {"a": "b", "c": "b"}


@pytest.mark.parametrize(
    ("victims", "other", "said"),
    [
        (["d"], None, "has no task 'd'"),
        ([], "d", "has no task 'd'"),
        (["a"], "a", "cannot be both"),
    ],
)
def test_tasks_that_cannot_be_robbed_are_refused(
    run: Run, victims: list[str], other: str | None, said: str
) -> None:
    with pytest.raises(RbnnError, match=said):
        choose_victims(run, victims, other)


def test_runs_that_cannot_be_attacked_are_refused(run: Run, tmp_path: Path) -> None:
    config = run.config()
    plain = Run(tmp_path / "plain")
    plain.write_config(config.model_copy(update={"scheme": "none"}))
    with pytest.raises(RbnnError, match="only xor has licences"):
        choose_victims(plain, [], None)
    lone = Run(tmp_path / "lone")
    lone.write_config(config.model_copy(update={"tasks": config.tasks[:1]}))
    with pytest.raises(RbnnError, match="has only one task"):
        choose_victims(lone, [], None)
    with pytest.raises(RbnnError, match=r"Cannot read .*parameters\.npz"):
        plan_experiment(lone, None, 1, None, 1.0)


def test_numbers_are_read_and_refused(run: Run) -> None:
    assert parse_shares("100,1,0.5") == [0.5, 1, 100]
    assert parse_seeds("3,1,1") == [1, 3]
    for shares in ("", "0", "101", "ten", "1,,2", "nan"):
        with pytest.raises(RbnnError, match="--shares"):
            parse_shares(shares)
    for seeds in ("", "-1", "1.5"):
        with pytest.raises(RbnnError, match="--seeds"):
            parse_seeds(seeds)
    with pytest.raises(RbnnError, match="--steps"):
        plan_experiment(run, None, 0, None, 1.0)
    with pytest.raises(RbnnError, match="--magnitude"):
        plan_experiment(run, None, 1, None, float("nan"))
    with pytest.raises(RbnnError, match="--learning-rate"):
        plan_experiment(run, None, 1, -0.1, 1.0)


def test_a_folder_holds_one_experiment(run: Run, tmp_path: Path) -> None:
    plan_experiment(run, None, 5, None, 1.0).hold(tmp_path)
    plan_experiment(run, None, 5, None, 1.0).hold(tmp_path)
    with pytest.raises(RbnnError, match="its steps is 5, here it is 6"):
        plan_experiment(run, None, 6, None, 1.0).hold(tmp_path)
    (tmp_path / "experiment.json").write_text("{")
    with pytest.raises(RbnnError, match=r"Cannot read .*experiment\.json"):
        plan_experiment(run, None, 5, None, 1.0).hold(tmp_path)


def test_cells_come_seed_by_seed_and_are_read_again(tmp_path: Path) -> None:
    cells = plan_cells(["a", "b"], [1, 10], [1, 2])
    assert len(cells) == len(set(cells)) == 2 * 2 * 2 * len(Start)
    assert [cell.seed for cell in cells] == sorted(cell.seed for cell in cells)
    assert len({cell.file(tmp_path) for cell in cells}) == len(cells)
    cell = FineTuning(victim="a", share=0.5, seed=1, start=Start.BITS)
    assert read_result(tmp_path, cell, "b") is None
    result = FineTuningResult(
        **cell.model_dump(), other="b", samples=3, steps=5, seconds=1.0,
        loss=0.5, train_accuracy=0.9, test_accuracy=0.8,
    )  # fmt: skip
    result.save(tmp_path)
    assert read_result(tmp_path, cell, "b") == result
    with pytest.raises(RbnnError, match="made with b as the thief's task, not c"):
        read_result(tmp_path, cell, "c")
    cell.file(tmp_path).write_text("{}")
    with pytest.raises(RbnnError, match="Cannot read"):
        read_result(tmp_path, cell, "b")
